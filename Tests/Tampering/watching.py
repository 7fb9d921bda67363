"""What a program opens of a bundle, and a file that is another one when it is opened again. Used by matrix.

Both ask the kernel (inotify(7), fanotify(7)), so they see programs in other namespaces, and the programs see nothing of it.
"""

from __future__ import annotations

import ctypes
import os
import pathlib
import select
import struct
import threading

LIBC = ctypes.CDLL(None, use_errno=True)
IN_ACCESS, IN_OPEN, IN_Q_OVERFLOW, IN_ISDIR = 0x1, 0x20, 0x4000, 0x40000000
FAN_OPEN_PERM, FAN_ALLOW, FAN_MARK_ADD = 0x10000, 0x1, 0x1
FAN_CLOEXEC, FAN_NONBLOCK, FAN_CLASS_CONTENT = 0x1, 0x2, 0x4


def checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


class Opened:
    """How often each file below a folder was opened since, and which folders were listed."""

    def __init__(self, top: pathlib.Path):
        self.top = top
        self.queue = checked(LIBC.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC))
        self.folders = {}
        for folder, _, _ in os.walk(top):
            watch = checked(LIBC.inotify_add_watch(self.queue, os.fsencode(folder), IN_OPEN | IN_ACCESS))
            self.folders[watch] = os.path.relpath(folder, top)
        # The walk itself.
        self.events()

    def events(self) -> list[tuple[int, int, str]]:
        found = []
        while True:
            try:
                data = os.read(self.queue, 1 << 20)
            except BlockingIOError:
                return found
            while data:
                watch, mask, _, length = struct.unpack_from("iIII", data)
                found.append((watch, mask, data[16 : 16 + length].rstrip(b"\0").decode()))
                data = data[16 + length :]

    def finish(self) -> tuple[dict[str, int], set[str]]:
        files, listed = {}, set()
        for watch, mask, name in self.events():
            if mask & IN_Q_OVERFLOW:
                raise RuntimeError("more was opened than could be written down")
            folder = self.folders[watch]
            if mask & IN_ISDIR:
                if mask & IN_ACCESS and not name:
                    listed.add(folder)
            elif mask & IN_OPEN and name:
                path = os.path.normpath(os.path.join(folder, name))
                files[path] = files.get(path, 0) + 1
        os.close(self.queue)
        return files, listed


class SecondReading:
    """Changes a byte of a file when it is opened for the second time, before whoever opens it gets it."""

    def __init__(self, path: pathlib.Path):
        self.count = 0
        self.file = os.open(path, os.O_RDWR)
        place = os.fstat(self.file).st_size // 2
        self.byte = (bytes([os.pread(self.file, 1, place)[0] ^ 1]), place)
        self.queue = checked(LIBC.fanotify_init(FAN_CLOEXEC | FAN_NONBLOCK | FAN_CLASS_CONTENT, os.O_RDONLY))
        mask = ctypes.c_uint64(FAN_OPEN_PERM)
        checked(LIBC.fanotify_mark(self.queue, FAN_MARK_ADD, mask, -100, os.fsencode(path)))
        self.end_reader, self.end_writer = os.pipe()
        self.thread = threading.Thread(target=self.answer)
        self.thread.start()

    def answer(self) -> None:
        while True:
            ready, _, _ = select.select([self.queue, self.end_reader], [], [])
            if self.queue in ready:
                try:
                    data = os.read(self.queue, 4096)
                except BlockingIOError:
                    data = b""
                while data:
                    length, _, _, _, _, file, _ = struct.unpack_from("=IBBHQii", data)
                    self.count += 1
                    if self.count == 2:
                        os.pwrite(self.file, *self.byte)
                    os.write(self.queue, struct.pack("=iI", file, FAN_ALLOW))
                    os.close(file)
                    data = data[length:]
            elif self.end_reader in ready:
                return

    def finish(self) -> int:
        """How often it was opened."""
        os.write(self.end_writer, b"x")
        self.thread.join()
        for descriptor in (self.queue, self.file, self.end_reader, self.end_writer):
            os.close(descriptor)
        return self.count
