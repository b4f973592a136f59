"""A benign call of every function under Valgrind, in a server of one session: what it finds in the
library.

    python run_valgrind.py
"""

import collections
import ctypes
import os
import re
import struct
import subprocess
import sys
import time

import every_function
from server import Server

# Of the server: it writes structures with padding, and says so to a build of its own only.
QUIET = ["--quiet", "--num-callers=30", "--undef-value-errors=yes", "--error-limit=no", "--vgdb=no"]


def refuse_auxv():
    """Has the kernel refuse prctl(PR_GET_AUXV) here and in what is started: Valgrind lets it through, and its
    answer names a page that Valgrind has taken away. The library then reads /proc/self/auxv, where Valgrind
    answers itself. Only on x86-64, whose number of the call this is."""
    prctl, option, refused, allowed = 157, 0x41555856, 0x00050000 | 22, 0x7FFF0000
    instructions = [
        (0x20, 0, 0, 0),  # the number of the call
        (0x15, 0, 3, prctl),
        (0x20, 0, 0, 16),  # its first argument
        (0x15, 0, 1, option),
        (0x06, 0, 0, refused),
        (0x06, 0, 0, allowed),
    ]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *of) for of in instructions))
    program = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", len(instructions), ctypes.addressof(code)))
    libc = ctypes.CDLL(None, use_errno=True)
    # PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP with a filter.
    if libc.prctl(38, 1, 0, 0, 0) != 0 or libc.prctl(22, 2, ctypes.byref(program), 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "the filter was not taken")


def main():
    """Makes the world, stops the server, and calls everything in a process that is watched."""
    server = Server("valgrind")
    try:
        db = server.create_database()
        world = every_function.make_world(db)
        statements = ["SET confiture.dp_budget = 'research'"]
        for function in every_function.functions(db, world):
            call = function.call(function.benign)
            if function.kind == "p":
                statements.append(call)
                continue
            before = every_function.BEFORE.get(function.name)
            statements += ["BEGIN", *([before] if before else []), call, "ROLLBACK"]
        db.connection.close()
        data = server.folder / "data"
        as_server = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
        as_server = [*as_server, "env", "-i", "LC_ALL=C.UTF-8", "PATH=/usr/bin:/bin"]
        subprocess.run([*as_server, server.bindir / "pg_ctl", "-D", data, "-w", "stop"], check=True,
                       capture_output=True, cwd="/")
        log = server.folder / "keys" / "valgrind.log"
        lines = "".join(" ".join(statement.split()) + "\n" for statement in statements)
        started = time.monotonic()
        done = subprocess.run(
            [*as_server, "valgrind", *QUIET, f"--log-file={log}", server.bindir / "postgres",
             "--single", "-D", data, db.name],
            input=lines, text=True, capture_output=True, check=False, cwd="/", preexec_fn=refuse_auxv,
        )  # fmt: skip
        seconds = time.monotonic() - started
        said = subprocess.run([*as_server, "cat", log], check=True, capture_output=True, text=True)
        blocks = re.split(r"(?m)^==\d+== *$", said.stdout)
        ours = [block for block in blocks if "confiture.so" in block]
        failed = re.findall(r"ERROR:  (.*)", done.stderr)
        print(f"{len(statements)} statements, {len(failed)} refused, {seconds:.0f} s, exit {done.returncode}")
        print(f"{len(blocks)} findings, {len(ours)} with the library on the stack")
        heads = collections.Counter(" | ".join(re.findall(r"==\d+== +(?:by|at) 0x\w+: (\S+)", block)[:6])
                                    for block in ours)
        for head, count in heads.most_common(40):
            print(count, head)
        if "-v" in sys.argv:
            print("\n".join(ours[:10]), "\n".join(failed[:20]), done.stderr[-2000:])
    finally:
        # It is stopped already, and its folder goes.
        server.stop()


if __name__ == "__main__":
    main()
