print("never run by the emulator")
