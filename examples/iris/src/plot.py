"""Draws line charts as PNG images with the standard library only: every value between 0 and 1 of the tallest line."""

import struct
import zlib

WIDTH, HEIGHT = 720, 420
LEFT, RIGHT, TOP, BOTTOM = 64, 24, 44, 56
WHITE, INK, GRID = (255, 255, 255), (60, 60, 67), (228, 228, 232)
COLOURS = [(0, 95, 184), (216, 91, 10), (38, 127, 61), (135, 56, 148)]

# Glyphs of 5 x 7 dots, a row in five bits: what the charts here have to write.
FONT = {
    "0": (14, 17, 19, 21, 25, 17, 14), "1": (4, 12, 4, 4, 4, 4, 14), "2": (14, 17, 1, 2, 4, 8, 31),
    "3": (31, 2, 4, 2, 1, 17, 14), "4": (2, 6, 10, 18, 31, 2, 2), "5": (31, 16, 30, 1, 1, 17, 14),
    "6": (6, 8, 16, 30, 17, 17, 14), "7": (31, 1, 2, 4, 8, 8, 8), "8": (14, 17, 17, 14, 17, 17, 14),
    "9": (14, 17, 17, 15, 1, 2, 12), ".": (0, 0, 0, 0, 0, 12, 12), "a": (0, 0, 14, 1, 15, 17, 15),
    "c": (0, 0, 14, 16, 16, 17, 14), "e": (0, 0, 14, 17, 31, 16, 14), "h": (16, 16, 22, 25, 17, 17, 17),
    "l": (12, 4, 4, 4, 4, 4, 14), "o": (0, 0, 14, 17, 17, 17, 14), "p": (0, 0, 30, 17, 30, 16, 16),
    "r": (0, 0, 22, 25, 16, 16, 16), "s": (0, 0, 14, 16, 14, 1, 30), "u": (0, 0, 17, 17, 17, 19, 13),
    "y": (0, 0, 17, 17, 15, 1, 14),
}


def line_chart(lines, axis):
    """A chart of several lines over the same steps: name -> values. Answers the bytes of a PNG file."""
    canvas = Canvas()
    top = max(1.0, max(max(values) for values in lines.values()))
    steps = max(len(values) for values in lines.values())

    def place(step, value):
        x = LEFT + (WIDTH - LEFT - RIGHT) * (step / max(1, steps - 1))
        y = HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (value / top)
        return round(x), round(y)

    for part in range(6):
        value = top * part / 5
        _, y = place(0, value)
        canvas.line((LEFT, y), (WIDTH - RIGHT, y), GRID if part else INK, 1)
        canvas.text(18, y - 7, f"{value:.1f}", INK)
    for step in sorted({0, steps // 4, steps // 2, 3 * steps // 4, steps - 1}):
        x, y = place(step, 0)
        canvas.line((x, y), (x, y + 5), INK, 1)
        canvas.text(x - 6 * len(str(step + 1)), y + 10, str(step + 1), INK)
    canvas.text(WIDTH // 2 - 6 * len(axis), HEIGHT - 22, axis, INK)
    x = LEFT
    for (name, values), colour in zip(lines.items(), COLOURS):
        points = [place(step, value) for step, value in enumerate(values)]
        for start, end in zip(points, points[1:] or points):
            canvas.line(start, end, colour, 3)
        canvas.line((x, 21), (x + 22, 21), colour, 5)
        canvas.text(x + 30, 14, name, INK)
        x += 54 + 12 * len(name)
    return canvas.png()


class Canvas:
    def __init__(self):
        self.rows = [bytearray(bytes(WHITE) * WIDTH) for _ in range(HEIGHT)]

    def dot(self, x, y, colour, size=1):
        reach = size // 2
        for row in range(max(0, y - reach), min(HEIGHT, y + reach + 1)):
            for column in range(max(0, x - reach), min(WIDTH, x + reach + 1)):
                self.rows[row][3 * column : 3 * column + 3] = bytes(colour)

    def line(self, start, end, colour, size):
        (x0, y0), (x1, y1) = start, end
        steps = max(abs(x1 - x0), abs(y1 - y0), 1)
        for step in range(steps + 1):
            self.dot(round(x0 + (x1 - x0) * step / steps), round(y0 + (y1 - y0) * step / steps), colour, size)

    def text(self, x, y, text, colour, scale=2):
        for character in text:
            for row, bits in enumerate(FONT.get(character.lower(), (0,) * 7)):
                for column in range(5):
                    if bits & (16 >> column):
                        for dy in range(scale):
                            for dx in range(scale):
                                self.dot(x + column * scale + dx, y + row * scale + dy, colour)
            x += 6 * scale

    def png(self):
        pixels = zlib.compress(b"".join(b"\0" + bytes(row) for row in self.rows), 9)
        header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0)
        return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
