"""A bad line between two network namespaces: so many bytes a second, a delay, packets that are lost; and connections cut.

The kernel makes the line where it has netem. Where it has not, two TUN devices and a process between them do the same to
each packet: in both cases the TCP at its ends is the kernel's own.
"""

import asyncio
import collections
import contextlib
import fcntl
import multiprocessing
import os
import random
import select
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import NamedTuple

SERVER, CLIENT = "10.83.0.1", "10.83.0.2"
MTU = 1500
PAYLOAD = MTU - 52  # what TCP with timestamps carries in a packet
QUEUE = 200  # packets that wait for the line in each direction; more are lost, as in a router


class Line(NamedTuple):
    rate: float  # bytes a second, in each direction
    round_trip: float  # seconds
    loss: float  # the share of packets, in each direction

    def limit(self, size: int) -> float:
        """Seconds for so many bytes if the line is never idle: connect, ask, and all packets, the lost ones sent twice."""
        return 2 * self.round_trip + size * MTU / PAYLOAD / (1 - self.loss) / self.rate


def ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True)


def has_netem() -> bool:
    """Whether this kernel has netem: asked on the loopback of the namespace that this runs in."""
    asked = ["tc", "qdisc", "add", "dev", "lo", "root", "netem", "delay", "1ms"]
    if subprocess.run(asked, capture_output=True).returncode:
        return False
    subprocess.run(["tc", "qdisc", "del", "dev", "lo", "root"], check=True)
    return True


def enter_namespace() -> None:
    """Starts this script again in a network namespace of its own; that is where the servers are."""
    if "IN_BENCHMARK_NAMESPACE" not in os.environ:
        enter = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--net"]
        os.environ["IN_BENCHMARK_NAMESPACE"] = "1"
        os.execvp(enter[0], [*enter, sys.executable, *sys.argv])
    ip("link", "set", "lo", "up")


def open_tun(name: str) -> int:
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    # TUNSETIFF with IFF_TUN | IFF_NO_PI (linux/if_tun.h)
    fcntl.ioctl(device, 0x400454CA, struct.pack("16sH22x", name.encode(), 0x1001))
    return device


class Direction:
    """Packets that wait for their turn, and those on their way."""

    def __init__(self, line: Line, sink: int, seed: int) -> None:
        self.line, self.sink, self.random = line, sink, random.Random(seed)
        self.free = 0.0  # when the last packet has left
        self.under_way: collections.deque[tuple[float, bytes]] = collections.deque()

    def take(self, packet: bytes, now: float) -> None:
        # As netem: what is lost is lost before it takes time of the line.
        waiting = max(0.0, self.free - now) * self.line.rate / MTU
        if self.random.random() < self.line.loss or waiting > QUEUE:
            return
        self.free = max(now, self.free) + len(packet) / self.line.rate
        self.under_way.append((self.free + self.line.round_trip / 2, packet))

    def deliver(self, now: float) -> float:
        """Hands over what has arrived; seconds until the next packet does."""
        while self.under_way and self.under_way[0][0] <= now:
            with contextlib.suppress(BlockingIOError):
                os.write(self.sink, self.under_way.popleft()[1])
        return self.under_way[0][0] - now if self.under_way else 60.0


def emulate(line: Line, ends: tuple[int, int]) -> None:
    """Passes packets on until the process is ended."""
    with contextlib.suppress(PermissionError, OSError):
        os.nice(-10)  # late packets would be the line's fault
    directions = {ends[0]: Direction(line, ends[1], 1), ends[1]: Direction(line, ends[0], 2)}
    wait = 0.0
    while True:
        ready, _, _ = select.select(list(directions), [], [], max(0.0, wait))
        now = time.monotonic()
        for end in ready:
            with contextlib.suppress(BlockingIOError):
                while True:
                    directions[end].take(os.read(end, 65536), now)
        wait = min(direction.deliver(time.monotonic()) for direction in directions.values())


@contextlib.contextmanager
def client_namespace() -> Iterator[int]:
    """A second namespace; the process that holds it."""
    with subprocess.Popen(["unshare", "--net", "sleep", "infinity"]) as holder:
        own = os.readlink("/proc/self/ns/net")
        while os.readlink(f"/proc/{holder.pid}/ns/net") == own:
            time.sleep(0.01)
        try:
            yield holder.pid
        finally:
            holder.kill()


@contextlib.contextmanager
def running_line(line: Line, holder: int, netem: bool) -> Iterator[None]:
    """The line from this namespace to the one of `holder`."""
    emulator = None
    if netem:
        ip("link", "add", "line0", "type", "veth", "peer", "name", "line1")
    else:
        ends = open_tun("line0"), open_tun("line1")
    inside = ["nsenter", f"--net=/proc/{holder}/ns/net"]
    ip("link", "set", "line1", "netns", str(holder))
    for prefix, name, own, other in ([], "line0", SERVER, CLIENT), (inside, "line1", CLIENT, SERVER):
        for arguments in (
            ["ip", "address", "add", own, "peer", f"{other}/32", "dev", name],
            # netem counts what the kernel hands over in one piece as one packet.
            ["ip", "link", "set", "dev", name, "mtu", str(MTU), "gso_max_segs", "1", "up"],
            ["ip", "link", "set", "lo", "up"],
        ):
            subprocess.run([*prefix, *arguments], check=True)
        if netem:
            settings = f"rate {8 * line.rate:.0f}bit delay {500 * line.round_trip:.0f}ms loss {100 * line.loss}%"
            # Its limit counts what is under way, too.
            limit = QUEUE + int(line.rate * line.round_trip / 2 / MTU)
            command = ["tc", "qdisc", "add", "dev", name, "root", "netem", *settings.split(), "limit", str(limit)]
            subprocess.run([*prefix, *command], check=True)
    if not netem:
        emulator = multiprocessing.get_context("fork").Process(target=emulate, args=(line, ends), daemon=True)
        emulator.start()
    try:
        yield
    finally:
        if emulator:
            emulator.kill()
            emulator.join()
            for end in ends:
                os.close(end)
        else:
            ip("link", "del", "line0")


class Door:
    """Passes connections from the line on to a server behind it, counts the bytes that go into the line, and cuts."""

    def __init__(self, cuts: "Cuts", address: str) -> None:
        self.cuts = cuts
        self.host, port = address.split(":")
        self.port = int(port)
        self.address = f"{SERVER}:{port}"

    async def serve(self) -> None:
        await asyncio.start_server(self.accept, SERVER, self.port)

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # A copy: asyncio closes its own as soon as the client is gone, and with it goes what was counted.
        self.cuts.open[writer] = writer.get_extra_info("socket").dup()
        other_reader, other_writer = await asyncio.open_connection(self.host, self.port)
        await asyncio.gather(self.pass_on(reader, other_writer), self.pass_on(other_reader, writer))
        writer.close()
        other_writer.close()
        self.cuts.finish(writer)

    async def pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
            writer.write_eof()


def sent(connection: socket.socket) -> int:
    """The bytes that went into the line, each once: tcpi_bytes_sent less tcpi_bytes_retrans (linux/tcp.h)."""
    every, again = struct.unpack_from("QQ", connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256), 200)
    return every - again


class Cuts:
    """Resets every connection each time that so many bytes more were sent. Its doors run in a thread of it."""

    def __init__(self) -> None:
        self.open: dict[asyncio.StreamWriter, socket.socket] = {}
        self.finished, self.made, self.moments = 0, 0, []
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()
        asyncio.run_coroutine_threadsafe(self.watch(), self.loop)

    def door(self, address: str) -> Door:
        """An opened door to a server."""
        door = Door(self, address)
        asyncio.run_coroutine_threadsafe(door.serve(), self.loop).result()
        return door

    def begin(self, moments: list[float]) -> None:
        """Counts from zero; cuts when so many bytes were sent."""
        self.loop.call_soon_threadsafe(self._begin, moments)

    def _begin(self, moments: list[float]) -> None:
        for writer in list(self.open):
            self.finish(writer)
        self.finished, self.made, self.moments = 0, 0, sorted(moments)

    def finish(self, writer: asyncio.StreamWriter) -> None:
        connection = self.open.pop(writer, None)
        if connection:
            self.finished += sent(connection)
            connection.close()

    async def watch(self) -> None:
        while True:
            await asyncio.sleep(0.02)
            if self.moments and self.total() >= self.moments[0]:
                self.moments.pop(0)
                self.made += 1
                for writer, connection in list(self.open.items()):
                    # Nothing that still waits is sent: the other side gets a reset.
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    writer.transport.abort()
                    self.finish(writer)

    def total(self) -> int:
        return self.finished + sum(map(sent, self.open.values()))

    def result(self) -> tuple[int, int]:
        """The bytes that were sent, and the cuts that were made."""

        async def read() -> tuple[int, int]:
            return self.total(), self.made

        return asyncio.run_coroutine_threadsafe(read(), self.loop).result()
