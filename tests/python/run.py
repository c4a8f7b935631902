"""Runs CPython's own tests of `threading`'s primitives and of `queue`, `test.lock_tests` and `test.test_queue`, on futon's.

    python3 tests/python/run.py [OPTION...] [CASE...]

Options and cases are those of `unittest`, as in `-v ConditionTests.test_notify`. Needs the library, which
`cargo build --release -p futon-python` makes, and a Python that came with its tests. The status is 0 if all cases
pass that are not left out and, should none have been named, these are not fewer than there are known to be.
"""

import collections
import faulthandler
import platform
import queue
import sys
import threading
import types
import unittest
from test import lock_tests, test_queue

import binding_tests
import futon
import futon_queue

# All of it takes a quarter of a minute. What hangs is ended after as many seconds, and shows where.
LIMIT = 300

# What can not hold, and why.
LEFT_OUT = {
    "EventTests.test_at_fork_reinit":
        "looks into an Event for the Condition that CPython makes it of; futon's is made of one word",
    "EventTests.test_reset_internal_locks":
        "as test_at_fork_reinit, which it is called since Python 3.9",
    "ConditionAsRLockTests.test_recursion_count":
        "CPython's Condition has no _recursion_count() either, and leaves this out",
    "ConditionOnLockTests.test_acquire":
        "is about the RLock that a Condition has if it is given no lock",
    "RLockTests.test_repr_count":
        "futon does not say how many levels another thread has",
    "ConditionAsRLockTests.test_repr_count":
        "futon does not say how many levels another thread has",
    "FailingQueueTest.test_failing_queue":
        "puts methods of its own in the place of _put and _get, which CPython's Queue is made of",
    "SimpleQueueTest.test_is_default":
        "asks which of CPython's two implementations is the one that is used",
    "SimpleQueueTest.test_reentrancy":
        "asks that no garbage is collected in a put, before it has put in; here a part of a put is written in Python",
}

# Before 3.9 the threads that feed a queue take what they put in, the ends included, from a list that they share.
if hasattr(queue, "SimpleQueue") and "sentinel" not in test_queue.BaseSimpleQueueTest.feed.__code__.co_varnames:
    LEFT_OUT.update((f"SimpleQueueTest.{case}", (
        "an item that a thread has taken from the list may be put in after the ends which others have taken later; "
        "so CPython's own queue fails, too, if other threads run before a put"
    )) for case in ("test_many_threads", "test_many_threads_nonblock", "test_many_threads_timeout"))

# How many of CPython's cases pass at least, of each of its files, from that version on.
AT_LEAST = {
    (3, 6, 15): {"test.lock_tests": 106, "test.test_queue": 18},
    (3, 7, 16): {"test.lock_tests": 106, "test.test_queue": 22},
    (3, 9, 18): {"test.lock_tests": 109, "test.test_queue": 25},
    (3, 11, 7): {"test.lock_tests": 114, "test.test_queue": 25},
    (3, 13, 0): {"test.lock_tests": 115, "test.test_queue": 79},
}

# The cases know `threading` by its name, for a Lock to give to a Condition and an exception to expect.
lock_tests.threading = types.ModuleType("threading")
vars(lock_tests.threading).update(vars(threading))
vars(lock_tests.threading).update((name, getattr(futon, name)) for name in futon.__all__)

# Those of Python 3.6 and 3.7 know `queue` by its name, too; later ones by that of an attribute.
test_queue.queue = futon_queue


class LockTests(lock_tests.LockTests):
    locktype = staticmethod(futon.Lock)


class RLockTests(lock_tests.RLockTests):
    locktype = staticmethod(futon.RLock)


class ConditionAsRLockTests(lock_tests.RLockTests):
    locktype = staticmethod(futon.Condition)


class EventTests(lock_tests.EventTests):
    eventtype = staticmethod(futon.Event)


class ConditionTests(lock_tests.ConditionTests):
    condtype = staticmethod(futon.Condition)


class PythonsConditionTests(lock_tests.ConditionTests):
    """`threading`'s own Condition, which is made of the locks that it is given."""

    condtype = staticmethod(lambda lock=None: threading.Condition(lock or futon.RLock()))


class ConditionOnLockTests(lock_tests.ConditionTests):
    """Not among CPython's, whose cases never wait with a lock that is not re-entrant."""

    condtype = staticmethod(lambda: futon.Condition(futon.Lock()))


class SemaphoreTests(lock_tests.SemaphoreTests):
    semtype = staticmethod(futon.Semaphore)


class BoundedSemaphoreTests(lock_tests.BoundedSemaphoreTests):
    semtype = staticmethod(futon.BoundedSemaphore)


class BarrierTests(lock_tests.BarrierTests):
    barriertype = staticmethod(futon.Barrier)


class QueueTest(test_queue.BaseQueueTestMixin, unittest.TestCase):
    queue = futon_queue
    type2test = futon_queue.Queue


class LifoQueueTest(test_queue.BaseQueueTestMixin, unittest.TestCase):
    queue = futon_queue
    type2test = futon_queue.LifoQueue


class PriorityQueueTest(test_queue.BaseQueueTestMixin, unittest.TestCase):
    queue = futon_queue
    type2test = futon_queue.PriorityQueue


class FailingQueueTest(test_queue.FailingQueueTest, unittest.TestCase):
    queue = futon_queue


if hasattr(queue, "SimpleQueue"):  # since Python 3.7
    class SimpleQueueTest(test_queue.CSimpleQueueTest):
        queue = futon_queue

        def setUp(self):
            self.type2test = futon_queue.SimpleQueue
            self.q = self.type2test()


class BindingTests(binding_tests.BindingTests):
    module = futon


class QueueBindingTests(binding_tests.QueueBindingTests):
    module = futon_queue


@unittest.skipIf(sys.version_info < (3, 9), "an older Semaphore can not release several, for one")
class TheSameOnThreading(binding_tests.BindingTests):
    module = threading


class TheSameOnQueue(binding_tests.QueueBindingTests):
    module = queue


for name, reason in LEFT_OUT.items():
    tests, case = name.split(".")
    if hasattr(globals().get(tests), case):
        setattr(globals()[tests], case, unittest.skip(reason)(getattr(globals()[tests], case)))


class Result(unittest.TextTestResult):
    def __init__(self, *arguments, **keywords):
        super().__init__(*arguments, **keywords)
        # How many have passed of each file.
        self.passed = collections.Counter()

    def addSuccess(self, test):
        super().addSuccess(test)
        self.passed[getattr(type(test), test._testMethodName).__module__] += 1


class Runner(unittest.TextTestRunner):
    resultclass = Result


def too_few(passed):
    """What is missing, if all have been run."""
    known = [version for version in AT_LEAST if version <= sys.version_info]
    at_least = AT_LEAST[max(known)] if known else {}
    return [
        f"too few: {passed[file]} cases of {file} have passed, of {number} at least"
        for file, number in at_least.items() if passed[file] < number
    ]


def main():
    faulthandler.dump_traceback_later(LIMIT, exit=True)
    program = unittest.main(testRunner=Runner, exit=False)
    result = program.result
    for case, reason in result.skipped:
        print(f"left out: {case.id()}: {reason}")
    left_out = len(result.skipped)
    failed = len(result.failures) + len(result.errors) + len(result.unexpectedSuccesses)
    passed = sum(result.passed.values())
    version = f"{platform.python_implementation()} {platform.python_version()}"
    for file, number in sorted(result.passed.items()):
        print(f"{version}: {number} cases of {file} passed")
    cases = passed + failed + left_out
    print(f"{version}: {cases} cases: {passed} passed, {failed} failed, {left_out} left out")
    is_chosen = program.testNames or getattr(program, "testNamePatterns", None)
    missing = [] if is_chosen else too_few(result.passed)
    for line in missing:
        print(line)
    # None at all is no success.
    return 0 if result.wasSuccessful() and passed > 0 and not missing else 1


if __name__ == "__main__":
    sys.exit(main())
