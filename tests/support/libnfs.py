"""A client of NFS: libnfs, by ctypes, with a log of what it was told and when.

    with Client(port, mount_port, version=3) as client:
        client.do("mkdir", b"/a")
    client.log    # [Call("mkdir", 0, begin, end)], times in ns of the clock that captures have
"""
import collections
import ctypes
import os
import time

LIBRARY = "libnfs.so.13"
Call = collections.namedtuple("Call", "name status begin end")


def missing():
    try:
        ctypes.CDLL(LIBRARY)
    except OSError:
        return "needs libnfs13"
    return None


class Client:
    """Mounts /shared; every method that libnfs has as nfs_NAME is do("NAME", …)."""

    def __init__(self, port, mount_port, version):
        self.library = ctypes.CDLL(LIBRARY)
        self.library.nfs_init_context.restype = ctypes.c_void_p
        self.library.nfs_get_error.restype = ctypes.c_char_p
        self.library.nfs_parse_url_dir.restype = ctypes.c_void_p
        self.context = ctypes.c_void_p(self.library.nfs_init_context())
        self.log = []
        url = f"nfs://127.0.0.1/shared?version={version}&nfsport={port}&mountport={mount_port}"
        self.library.nfs_parse_url_dir(self.context, url.encode())
        if self.do("mount", b"127.0.0.1", b"/shared") != 0:
            raise AssertionError(self.library.nfs_get_error(self.context))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        begin = time.time_ns()
        self.library.nfs_destroy_context(self.context)
        self.log.append(Call("destroy", 0, begin, time.time_ns()))

    def do(self, name, *arguments):
        """Calls nfs_NAME, which waits for the answer; 0 or above, or -errno."""
        begin = time.time_ns()
        status = getattr(self.library, "nfs_" + name)(self.context, *arguments)
        self.log.append(Call(name, status, begin, time.time_ns()))
        return status

    def write(self, path, text):
        """Creates a file with that text."""
        handle = ctypes.c_void_p()
        if self.do("open2", path, os.O_RDWR | os.O_CREAT, 0o644, ctypes.byref(handle)) != 0:
            raise AssertionError(self.library.nfs_get_error(self.context))
        self.do("write", handle, ctypes.c_uint64(len(text)), text)
        self.do("close", handle)

    def read(self, path, size):
        """What a file says."""
        handle = ctypes.c_void_p()
        if self.do("open", path, 0, ctypes.byref(handle)) != 0:
            raise AssertionError(self.library.nfs_get_error(self.context))
        buffer = ctypes.create_string_buffer(size)
        self.do("read", handle, ctypes.c_uint64(size), buffer)
        self.do("close", handle)
        return buffer.raw

    def stat(self, path):
        return self.do("stat64", path, ctypes.create_string_buffer(512))
