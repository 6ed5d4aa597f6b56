"""What processes have used."""

import psutil


def cpu_seconds(pid: int) -> float:
    """User and system time of a process and of all its children, living and waited for."""
    process = psutil.Process(pid)
    times = process.cpu_times()
    waited: float = times.children_user + times.children_system
    return waited + sum(_own(one) for one in (process, *process.children(recursive=True)))


def resident_bytes(pid: int) -> tuple[int, int]:
    """RSS, and PSS: what is shared with other processes divided among them (Linux)."""
    memory = psutil.Process(pid).memory_full_info()
    return memory.rss, memory.pss


def _own(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    own: float = times.user + times.system
    return own
