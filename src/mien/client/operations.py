"""What makes methods of both clients out of the description of a question, each of which is written once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine, Generator, Iterator
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar, overload

from mien.answers.service import Page
from mien.client.call import Call
from mien.client.events import Watch
from mien.errors import MienError

if TYPE_CHECKING:
    from mien.client.asynchronous import AsyncSender
    from mien.client.blocking import Sender

P = ParamSpec("P")
T = TypeVar("T")
S = TypeVar("S", bound="Sender | AsyncSender")

# Several questions, each of which may depend on the answers before; errors come back into it too. The answer
# to something that is followed is its last event, or None.
Steps = Generator[Call[Any] | Watch[Any], Any, T]


class Bound(Generic[S]):
    """Operations, and what sends them.

    Args:
        sender: Has the connections.
    """

    def __init__(self, sender: S) -> None:
        self.sender = sender

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.sender.line.address!r})"


class Operation(Generic[P, T]):
    """A question with one answer.

    Args:
        build: Describes the question.
    """

    def __init__(self, build: Callable[P, Call[T]]) -> None:
        self.build = build

    @overload
    def __get__(self, noun: None, owner: type[Any]) -> Callable[P, Call[T]]: ...
    @overload
    def __get__(self, noun: Bound[Sender], owner: type[Any]) -> Callable[P, T]: ...
    @overload
    def __get__(self, noun: Bound[AsyncSender], owner: type[Any]) -> Callable[P, Coroutine[Any, Any, T]]: ...
    def __get__(self, noun: Bound[Any] | None, owner: type[Any]) -> Any:
        return _bound(self.build, noun, "ask")


class Listing(Generic[P, T]):
    """A list, asked for part by part as it is read.

    Args:
        build: Describes the question for the first part.
    """

    def __init__(self, build: Callable[P, Call[Page[T]]]) -> None:
        self.build = build

    @overload
    def __get__(self, noun: None, owner: type[Any]) -> Callable[P, Call[Page[T]]]: ...
    @overload
    def __get__(self, noun: Bound[Sender], owner: type[Any]) -> Callable[P, Iterator[T]]: ...
    @overload
    def __get__(self, noun: Bound[AsyncSender], owner: type[Any]) -> Callable[P, AsyncIterator[T]]: ...
    def __get__(self, noun: Bound[Any] | None, owner: type[Any]) -> Any:
        return _bound(self.build, noun, "items")


class Following(Generic[P, T]):
    """Events, one by one until their end.

    Args:
        build: Describes what is followed.
    """

    def __init__(self, build: Callable[P, Watch[T]]) -> None:
        self.build = build

    @overload
    def __get__(self, noun: None, owner: type[Any]) -> Callable[P, Watch[T]]: ...
    @overload
    def __get__(self, noun: Bound[Sender], owner: type[Any]) -> Callable[P, Iterator[T]]: ...
    @overload
    def __get__(self, noun: Bound[AsyncSender], owner: type[Any]) -> Callable[P, AsyncIterator[T]]: ...
    def __get__(self, noun: Bound[Any] | None, owner: type[Any]) -> Any:
        return _bound(self.build, noun, "follow")


class Procedure(Generic[P, T]):
    """Several questions with one answer in the end.

    Args:
        build: Describes them, one after the other.
    """

    def __init__(self, build: Callable[P, Steps[T]]) -> None:
        self.build = build

    @overload
    def __get__(self, noun: None, owner: type[Any]) -> Callable[P, Steps[T]]: ...
    @overload
    def __get__(self, noun: Bound[Sender], owner: type[Any]) -> Callable[P, T]: ...
    @overload
    def __get__(self, noun: Bound[AsyncSender], owner: type[Any]) -> Callable[P, Coroutine[Any, Any, T]]: ...
    def __get__(self, noun: Bound[Any] | None, owner: type[Any]) -> Any:
        return _bound(self.build, noun, "carry_out")


@dataclass(frozen=True, slots=True)
class Done(Generic[T]):
    """What came of several questions."""

    value: T


def advance(steps: Steps[T], answer: object, error: MienError | None) -> Call[Any] | Watch[Any] | Done[T]:
    """Give an answer, or the error instead; take the next question, or the end."""
    try:
        return steps.send(answer) if error is None else steps.throw(error)
    except StopIteration as done:
        return Done(done.value)


def _bound(build: Callable[..., Any], noun: Bound[Any] | None, way: str) -> Callable[..., Any]:
    """The description by itself when a class is asked for it, as a method when an instance is."""
    if noun is None:
        return build
    go = getattr(noun.sender, way)

    @wraps(build)
    def method(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - typed by __get__
        return go(build, args, kwargs)

    return method
