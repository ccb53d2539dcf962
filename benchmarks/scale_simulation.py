# SPDX-License-Identifier: Apache-2.0
"""Simulate up to 1,000 workers: where do scheduler, cache, links and SCons saturate?

    python -m benchmarks.scale_simulation [--workers 1,10,100,1000]

A discrete-event simulation: jobs run through queues of one machine's SCons, its other cores, its
link, the scheduler, the cache's server and the workers. Times and sizes are those that the other
benchmarks measured (docs/scale.md says which and where); nothing here is a measurement of a
cluster. Of each resource it prints the share of the time in which it was busy: what comes near
100 % is what more workers cannot help with.
"""

from __future__ import annotations

import argparse
import heapq
import itertools
from collections import deque
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass, field

# Seconds of one processor, measured by benchmarks.remote_steps and benchmarks.evaluation_build.
SCONS_STEP_S = 0.020
SCONS_REMOTE_STEP_S = 0.009
SCHEDULER_TASK_S = 0.002
WORKER_STEP_S = 0.020
# Of nginx on loopback with TLS: one request; and links of 1 Gbit/s.
CACHE_REQUEST_S = 0.0005
LINK_BYTES_PER_S = 125e6
# Cores of the coordinator beside SCons itself, which run what goes to no worker.
HERE_CORES = 15


@dataclass
class Resource:
    """Servers with one queue.

    Attributes:
        name: for the table.
        servers: how many may be busy at once.
    """

    name: str
    servers: int
    busy: int = 0
    busy_s: float = 0.0
    waiting: deque[tuple[float, Process]] = field(default_factory=deque)


# A job yields what it needs next: a resource, and for how many seconds.
Process = Generator[tuple[Resource, float], None, None]


class Simulation:
    """Events in the order of their times."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self._order = itertools.count()
        self._events: list[tuple[float, int, Resource, Process]] = []

    def begin(self, process: Process) -> None:
        """Let a job ask for its first resource now."""
        self._go_on(process)

    def run(self) -> None:
        """Go on until nothing is left to do."""
        while self._events:
            self.now_s, _, resource, process = heapq.heappop(self._events)
            resource.busy -= 1
            if resource.waiting:
                self._serve(resource, *resource.waiting.popleft())
            self._go_on(process)

    def _go_on(self, process: Process) -> None:
        for resource, takes_s in process:
            if resource.busy < resource.servers:
                self._serve(resource, takes_s, process)
            else:
                resource.waiting.append((takes_s, process))
            return

    def _serve(self, resource: Resource, takes_s: float, process: Process) -> None:
        resource.busy += 1
        resource.busy_s += takes_s
        heapq.heappush(self._events, (self.now_s + takes_s, next(self._order), resource, process))


@dataclass(frozen=True)
class Step:
    """A step of a job.

    Attributes:
        seconds: of one core.
        remote: whether it runs on a worker.
        in_bytes: of its inputs that a worker fetches.
        out_bytes: of its outputs.
        count: so many of them, one after the other.
    """

    seconds: float
    remote: bool = False
    in_bytes: int = 0
    out_bytes: int = 0
    count: int = 1


@dataclass(frozen=True)
class Cluster:
    """All that steps queue for."""

    scons: Resource
    here: Resource
    link: Resource
    scheduler: Resource
    cache: Resource
    workers: Resource

    @classmethod
    def of(cls, workers: int) -> Cluster:
        """Return one with so many workers."""
        return cls(
            Resource("SCons", 1),
            Resource("steps here", HERE_CORES),
            Resource("link here", 1),
            Resource("scheduler", 1),
            Resource("cache", 1),
            Resource("workers", workers),
        )

    @property
    def resources(self) -> Sequence[Resource]:
        """All of them, for the table."""
        return (self.scons, self.here, self.link, self.scheduler, self.cache, self.workers)

    def job(self, steps: Iterable[Step]) -> Process:
        """Yield what a job needs, step by step."""
        for step in steps:
            for _ in range(step.count):
                yield self.scons, SCONS_STEP_S
                yield from self._remote(step) if step.remote else self._local(step)

    def _local(self, step: Step) -> Process:
        yield self.here, step.seconds
        if step.out_bytes:  # into the cache, for the workers
            yield self.link, step.out_bytes / LINK_BYTES_PER_S

    def _remote(self, step: Step) -> Process:
        yield self.scons, SCONS_REMOTE_STEP_S
        yield self.scheduler, SCHEDULER_TASK_S
        transfer_s = (step.in_bytes + step.out_bytes) / LINK_BYTES_PER_S
        # Inputs and outputs, there and here: four requests each.
        yield self.cache, 4 * CACHE_REQUEST_S + transfer_s
        # A worker's own link, and the step.
        yield self.workers, step.seconds + WORKER_STEP_S + transfer_s
        yield self.link, step.out_bytes / LINK_BYTES_PER_S


def evaluation(items: int, shard: int = 160) -> list[list[Step]]:
    """Return the jobs of an evaluation set: a shard each, as docs/accuracy.md describes."""
    set_bytes = shard * 32_000
    steps = [
        Step(0.5, out_bytes=set_bytes),
        Step(2.0 + 0.02 * shard, True, set_bytes, 200 * shard),
        Step(2.0 + 0.02 * shard, True, set_bytes, 200 * shard),
        Step(0.36 * shard, True, set_bytes + 900_000, 200 * shard),
    ]
    return [steps] * (items // shard)


def sweep(networks: int, configurations: int) -> list[list[Step]]:
    """Return the jobs of a sweep: an image each; its network is quantised once."""
    quantise = Step(10.0, True, 500_000, 50_000)
    image = [
        Step(0.9, True, 50_000, 100_000),
        Step(0.7, count=7),  # model, fit, linker script, sectors, sizes, manifest, page
        Step(0.07, count=8),  # compilers
        Step(0.1, out_bytes=900_000),
        Step(3.0, True, 900_000, 50_000),
        Step(0.5),
    ]
    return [
        [*([quantise] if number % configurations == 0 else []), *image]
        for number in range(networks * configurations)
    ]


_CASES = {
    "evaluation, 1,000,000 items": evaluation(1_000_000),
    "sweep, 400 networks x 8 configurations": sweep(400, 8),
}


def simulate(jobs: Sequence[Iterable[Step]], workers: int) -> tuple[float, Cluster]:
    """Return how long all jobs take, in seconds, and how busy each resource was.

    As with ``-j``, twice as many jobs as workers are under way at once.
    """
    simulation, cluster = Simulation(), Cluster.of(workers)
    waiting = deque(jobs)

    def slot() -> Process:
        while waiting:
            yield from cluster.job(waiting.popleft())

    for _ in range(2 * workers):
        simulation.begin(slot())
    simulation.run()
    return simulation.now_s, cluster


def main() -> None:
    """Print a table for each case."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale_simulation")
    parser.add_argument("--workers", default="1,10,30,100,300,1000")
    for name, jobs in _CASES.items():
        print(f"{name}: {len(jobs):,} jobs")
        first_s = 0.0
        for workers in map(int, parser.parse_args().workers.split(",")):
            took_s, cluster = simulate(jobs, workers)
            first_s = first_s or took_s
            busy = "  ".join(
                f"{one.name} {one.busy_s / took_s / one.servers:4.0%}" for one in cluster.resources
            )
            print(
                f"  {workers:>5} workers {took_s / 3600:8.2f} h {first_s / took_s:7.1f} x  {busy}"
            )


if __name__ == "__main__":
    main()
