"""What the client programs share: signing in to the emulator, and telling how each operation went.

Every operation prints one line of JSON; the runner makes a table of them.
"""

import contextlib
import io
import json
import os
import pathlib
import sys
import time
import traceback

FILES = pathlib.Path(__file__).parent / "files"


def ml_client():
    """The workspace by a service principal, as anybody signs in to it; where it is comes from the environment."""
    from azure.ai.ml import MLClient
    from azure.identity import ClientSecretCredential

    return MLClient(
        credential(ClientSecretCredential),
        os.environ["CLIENTS_SUBSCRIPTION"],
        os.environ["CLIENTS_GROUP"],
        os.environ["CLIENTS_WORKSPACE"],
        enable_telemetry=False,
        # Half a minute otherwise, wherever the service names no time.
        polling_interval=0.2,
    )


def credential(kind):
    from azure.identity import __version__ as VERSION

    return kind(
        os.environ["AZURE_TENANT_ID"],
        os.environ["AZURE_CLIENT_ID"],
        os.environ["AZURE_CLIENT_SECRET"],
        authority=os.environ["AZURE_AUTHORITY_HOST"],
        # The emulator is no cloud that Entra knows. Debian's azure-identity has an earlier name for it.
        **({"instance_discovery": False} if VERSION == "1.13.0b2" else {"disable_instance_discovery": True}),
    )


class Session:
    """One client program: names the client, and tells the runner about each operation."""

    def __init__(self, client):
        self.client = client
        self.failed = set()

    @contextlib.contextmanager
    def operation(self, name, needs=()):
        """Runs the body as one operation. Whatever it raises fails it; later ones go on unless they need it."""
        started = time.monotonic()
        fault = None
        missing = [one for one in needs if one in self.failed]
        try:
            yield
        except Exception as error:  # Any client error is a finding.
            fault = "%s: %s" % (type(error).__name__, str(error).strip() or "no message")
            if missing:
                fault = "needs what failed: %s (%s)" % (", ".join(missing), fault)
            else:
                traceback.print_exc()
            self.failed.add(name)
        line = {"client": self.client, "operation": name, "seconds": round(time.monotonic() - started, 1)}
        if fault:
            line["fault"] = fault
        sys.stdout.write("\n\x1e" + json.dumps(line) + "\n")
        sys.stdout.flush()


def stream(client, job):
    """Follows a job to its end without showing its log, and gives what it has become."""
    with contextlib.redirect_stdout(io.StringIO()):
        client.jobs.stream(job.name)
    return client.jobs.get(job.name)


def names(found):
    """The names that a list operation shows."""
    return [one.name for one in found]


def contents(folder):
    """The files below a folder, by name."""
    return {one.name: one.read_text() for one in pathlib.Path(folder).rglob("*") if one.is_file()}


def version_before(version, *numbers):
    return tuple(int(part) for part in version.split(".")[: len(numbers)]) < numbers


def expect(actual, wanted, what="value"):
    """Fails the operation unless both are equal."""
    if actual != wanted:
        raise AssertionError("%s is %r, expected %r" % (what, actual, wanted))


def expect_that(truth, what):
    """Fails the operation unless it holds."""
    if not truth:
        raise AssertionError("not so: %s" % what)
