"""A stand-in for Windows, in the process that calls `become_windows`: what it lacks is hidden, what it refuses fails.

The libraries that ggdr uses have other code for Windows, so they are imported first.
"""

from __future__ import annotations

import errno
import multiprocessing
import os
import shutil
import signal
import sys
import warnings
from pathlib import Path

LIBRARIES = """torch torch.utils.data accelerate filelock psutil tqdm safetensors.torch matplotlib.figure PIL.Image
 joblib huggingface_hub datasets scipy.linalg matplotlib.backends.backend_agg tyro""".split()
MODULES = "fcntl resource pwd grp termios tty pty posix syslog".split()
SIGNALS = "SIGHUP SIGUSR1 SIGUSR2 SIGKILL SIGALRM SIGQUIT SIGPIPE SIGXFSZ SIGTSTP SIGCONT SIGSTOP".split()
NAMES = """fork forkpty getuid geteuid getgid getpgid killpg setsid nice mkfifo getloadavg sched_getaffinity
 sched_setaffinity wait4 wait3 chown fchmod lchown sync""".split()


def become_windows() -> None:
    """Hide modules, signals and functions that Windows has not, and let files behave as they do there."""
    for name in LIBRARIES:
        __import__(name)
    if multiprocessing.get_start_method(allow_none=True) != "spawn":
        multiprocessing.set_start_method("spawn")
    import fcntl

    flags, access = fcntl.fcntl, fcntl.F_GETFL
    refuse_files(lambda handle: flags(handle, access) & os.O_ACCMODE == os.O_RDONLY)
    sys.modules.update(dict.fromkeys(MODULES))
    for module, names in ((signal, SIGNALS), (os, NAMES)):
        for name in names:
            vars(module).pop(name, None)
    warnings.filterwarnings("error", category=EncodingWarning, module=r"ggdr(\.|$)")  # cp1252, for what names none


def refuse_files(read_only) -> None:
    """No folder is opened, nothing moves onto what is there, and nothing moves or goes that is open or mapped."""
    opened, synced, renamed, replaced, removed = os.open, os.fsync, os.rename, os.replace, os.unlink

    def open_(path, mode, *args, **kwargs):
        if not isinstance(path, int) and os.path.isdir(path):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return opened(path, mode, *args, **kwargs)

    def fsync(handle):
        if read_only(handle if isinstance(handle, int) else handle.fileno()):
            raise OSError(errno.EBADF, "Bad file descriptor")
        return synced(handle)

    def rename(source, target, **kwargs):
        if os.path.exists(target):
            raise FileExistsError(errno.EEXIST, "File exists", str(source), None, str(target))
        check_free(source)
        return renamed(source, target, **kwargs)

    def replace(source, target, **kwargs):
        check_free(source), check_free(target)
        return replaced(source, target, **kwargs)

    def unlink(path, **kwargs):
        check_free(path)
        return removed(path, **kwargs)

    def symlink(source, target, *args, **kwargs):
        raise OSError(errno.EPERM, "A required privilege is not held by the client", str(target))

    os.open, os.fsync, os.rename, os.replace, os.symlink = open_, fsync, rename, replace, symlink
    os.unlink = os.remove = unlink
    shutil._use_fd_functions = False


def check_free(path) -> None:
    """PermissionError if this process has a file open, or mapped, that is the one at the path or lies below it."""
    wanted = os.path.realpath(path)
    for used in (*open_files(), *mapped_files()):
        if used == wanted or used.startswith(f"{wanted}{os.sep}"):
            raise PermissionError(errno.EACCES, f"The process cannot access the file: {used} is open", str(path))


def open_files():
    """The files that this process has open."""
    for link in Path("/proc/self/fd").iterdir():
        try:
            yield os.readlink(link)
        except OSError:  # the one by which they are listed
            continue


def mapped_files():
    """The files that this process has mapped into its memory."""
    lines = Path("/proc/self/maps").read_text(encoding="utf-8", errors="replace").splitlines()
    return {line.split(maxsplit=5)[5] for line in lines if len(line.split(maxsplit=5)) == 6}
