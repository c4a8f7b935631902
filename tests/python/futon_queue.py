"""Python's queues, made of futon's.

The classes of `queue` with the same methods, results and exceptions. What waits, counts, orders and decides is futon,
through the C functions of `src`. An item is a number there; here it is kept below that number while it is in the queue.

Other than in `queue`: signals are handled after a wait, not in it; a timeout beyond `threading.TIMEOUT_MAX` is an
`OverflowError` also where nothing would be waited for; a `maxsize` may be changed while nobody uses the queue, and
while all that was put in is in it; and there are no `_put` and `_get` for another class to put its own in their place.
"""

import ctypes
import itertools
from ctypes import POINTER, c_bool, c_size_t, c_uint8, c_uint64

from futon import _MOST, _RAISED, _TIMEOUT, _YES, _constructor, _function, _Primitive, _timeout

__all__ = ["Empty", "Full", "LifoQueue", "PriorityQueue", "Queue", "ShutDown", "SimpleQueue"]

_NUMBER = POINTER(c_uint64)
_IS_LESS = ctypes.CFUNCTYPE(c_uint8, c_uint64, c_uint64, _NUMBER)
_HAND_BACK = ctypes.CFUNCTYPE(None, c_uint64)

# What C says, beside what `futon` knows: see `Answer` in src/lib.rs.
_CLOSED = 4


class Empty(Exception):
    pass


class Full(Exception):
    pass


class ShutDown(Exception):
    pass


class _Objects:
    """Objects, each below a number of its own."""

    def __init__(self):
        self._numbers = itertools.count()
        self._objects = {}

    def add(self, object):
        number = next(self._numbers)
        self._objects[number] = object
        return number

    def __getitem__(self, number):
        return self._objects[number]

    def remove(self, number):
        return self._objects.pop(number)


def _is_less(objects):
    """A comparison for C to call. An exception is kept among the objects."""

    def call(left, right, number):
        try:
            return bool(objects[left] < objects[right])
        except BaseException as error:
            number[0] = objects.add(error)
            return _RAISED

    return _IS_LESS(call)


def _capacity(maxsize):
    """What C is told: zero is no limit."""
    return min(max(0, maxsize), _MOST)


class _AnyQueue(_Primitive):
    _free = _function("queue_free", None)
    _blocking_put = _function("queue_put", c_uint8, _NUMBER, _TIMEOUT)
    _try_put = _function("queue_try_put", c_uint8, _NUMBER)
    _blocking_get = _function("queue_get", c_uint8, _NUMBER, _TIMEOUT)
    _try_get = _function("queue_try_get", c_uint8, _NUMBER)
    _len = _function("queue_len", c_size_t)
    _waiters = _function("queue_waiters", c_size_t)

    def _put_in(self, item, block, timeout):
        timeout = _timeout(timeout) if block else None
        number = c_uint64(self._objects.add(item))
        if block:
            answer = self._blocking_put(self._handle, number, timeout)
        else:
            answer = self._try_put(self._handle, number)
        if answer == _YES:
            return
        # With an exception the item has been put in nevertheless, as it is in Python; this is the number of the exception.
        removed = self._objects.remove(number.value)
        if answer == _RAISED:
            raise removed
        raise ShutDown if answer == _CLOSED else Full

    def _get_out(self, block, timeout):
        number = c_uint64()
        if block:
            answer = self._blocking_get(self._handle, number, _timeout(timeout))
        else:
            answer = self._try_get(self._handle, number)
        if answer == _YES:
            return self._objects.remove(number.value)
        if answer == _RAISED:
            raise self._objects.remove(number.value)
        raise ShutDown if answer == _CLOSED else Empty

    def put_nowait(self, item):
        self.put(item, block=False)

    def get_nowait(self):
        return self.get(block=False)

    def qsize(self):
        return self._len(self._handle)

    def empty(self):
        return self.qsize() == 0

    def _state(self):
        return f"qsize={self.qsize()}, waiters={self._waiters(self._handle)}"


def _check(timeout):
    if timeout is not None and timeout < 0:
        raise ValueError("'timeout' must be a non-negative number")


class Queue(_AnyQueue):
    _new = _constructor("queue_new", c_size_t)
    _set_capacity = _function("queue_set_capacity", c_bool, c_size_t)
    _task_done = _function("queue_task_done", c_bool)
    _join = _function("queue_join", None)
    _close = _function("queue_close", None)
    _close_now = _function("queue_close_now", None, _HAND_BACK)
    _is_closed = _function("queue_is_closed", c_bool)
    _is_full = _function("queue_is_full", c_bool)
    _unfinished = _function("queue_unfinished", c_size_t)

    def __init__(self, maxsize=0):
        self._objects = _Objects()
        self._maxsize = maxsize
        self._handle = self._make(_capacity(maxsize))

    def _make(self, capacity):
        return self._new(capacity)

    @property
    def maxsize(self):
        return self._maxsize

    @maxsize.setter
    def maxsize(self, maxsize):
        # The capacity of a queue of futon's is one for ever. So there comes another one in its place.
        if not self._set_capacity(self._handle, _capacity(maxsize)):
            raise RuntimeError("cannot change maxsize of a queue in use")
        self._maxsize = maxsize

    @property
    def is_shutdown(self):
        return self._is_closed(self._handle)

    @property
    def unfinished_tasks(self):
        return self._unfinished(self._handle)

    def put(self, item, block=True, timeout=None):
        if block and self._maxsize > 0 and not self.is_shutdown:
            _check(timeout)
        # Where there is no limit there is no time to wait for, and none to check.
        self._put_in(item, block, timeout if self._maxsize > 0 else None)

    def get(self, block=True, timeout=None):
        if block and not (self.is_shutdown and self.empty()):
            _check(timeout)
        return self._get_out(block, timeout)

    def full(self):
        return self._is_full(self._handle)

    def task_done(self):
        if not self._task_done(self._handle):
            raise ValueError("task_done() called too many times")

    def join(self):
        self._join(self._handle)

    def shutdown(self, immediate=False):
        if immediate:
            left = []
            self._close_now(self._handle, _HAND_BACK(left.append))
            for number in left:
                self._objects.remove(number)
        else:
            self._close(self._handle)


class LifoQueue(Queue):
    _new = _constructor("queue_new_lifo", c_size_t)


class PriorityQueue(Queue):
    _new = _constructor("queue_new_priority", c_size_t, _IS_LESS)

    def _make(self, capacity):
        self._is_less = _is_less(self._objects)
        return self._new(capacity, self._is_less)


class SimpleQueue(_AnyQueue):
    _new = _constructor("queue_new", c_size_t)

    def __init__(self):
        self._objects = _Objects()
        self._handle = self._new(0)

    def put(self, item, block=True, timeout=None):
        self._put_in(item, True, None)

    def get(self, block=True, timeout=None):
        if block:
            _check(timeout)
        return self._get_out(block, timeout)
