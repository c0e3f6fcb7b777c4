"""The steps of the lesson: what a student reads, does, and how the page sees that it is done.

A check is a pure function of what the session shows. The texts are formatted with ``rare``, the
name of a galaxy of the rare class, ``rares``, its plural, and ``kind``, a sentence on them;
words between asterisks are terms that are explained there.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["STEPS", "Course", "Moment", "Outcome", "Rare", "Step", "plural"]

ENOUGH = 0.5  # of the rare galaxies that a selection is to hold
CLOSE = 0.25  # of all galaxies that it may hold at most
LABELLED = 2  # look-alikes to be labelled
LIST = "list"  # what ``progress.exported`` calls an exported list


class Rare(NamedTuple):
    """The rare class that the lesson looks for.

    Args:
        name: The population's name in the store.
        title: What one galaxy of it is called.
        rows: The rows of its galaxies.
        total: How many galaxies the store has.
    """

    name: str
    title: str
    rows: NDArray[np.intp]
    total: int


class Moment(NamedTuple):
    """What a session shows at one time, as far as the lesson looks at it.

    Args:
        row: The picked galaxy.
        galaxy: Its id.
        tab: The shown tab.
        page: The shown page.
        seeds: Whose look-alikes are listed.
        listed: The rows of the shown tab's list.
        selected: Which galaxies are in focus, (N,) bool; None for no selection.
        labels: The rows that this person has labelled, each with its label.
        decoded: The latents that are decoded, if they were changed.
        exported: What has been exported so far.
        scores: R² of each property that the shown model infers, by its title, once known.
        answer: The chosen answer to the step's question.
    """

    row: int | None = None
    galaxy: str = ""
    tab: str = ""
    page: str = ""
    seeds: str = ""
    listed: tuple[int, ...] = ()
    selected: NDArray[np.bool_] | None = None
    labels: Mapping[int, str] = MappingProxyType({})
    decoded: NDArray[np.float64] | None = None
    exported: tuple[str, ...] = ()
    scores: Mapping[str, float] = MappingProxyType({})
    answer: str = ""


class Course(NamedTuple):
    """What a check sees: the rare class, and what was shown when.

    Args:
        rare: The class that is looked for.
        begun: As the step began.
        before: Just before the last change.
        now: Now.
    """

    rare: Rare
    begun: Moment
    before: Moment
    now: Moment


class Outcome(NamedTuple):
    """Whether a step is done, and a sentence: what was right, or what is still missing."""

    done: bool = False
    words: str = ""


class Step(NamedTuple):
    """One step of the lesson.

    Args:
        title: Its heading.
        text: What is explained.
        task: What is to be done; empty for the end of the lesson.
        check: Whether it is done.
        asks: Whether the task is a question on the inferred properties, to be answered.
    """

    title: str
    text: str
    task: str
    check: Callable[[Course], Outcome]
    asks: bool = False


def plural(title: str) -> str:
    """The plural of a class's name.

    Example:
        >>> plural("Green Pea"), plural("Dusty galaxies")
        ('Green Peas', 'Dusty galaxies')
    """
    return title if title.endswith("s") else f"{title}s"


def picked(course: Course) -> Outcome:
    """Whether another galaxy was picked."""
    now = course.now
    if now.row is None or now.row == course.begun.row:
        return Outcome()
    return Outcome(
        True,
        f"You picked {now.galaxy}. Its image is on the card, and beside it the image that "
        "the model draws from its latents alone.",
    )


def picked_neighbour(course: Course) -> Outcome:
    """Whether a galaxy was picked that was listed as a neighbour of the one before."""
    before, now = course.before, course.now
    if now.row is None or now.row == before.row or before.row is None:
        return Outcome()
    if before.tab != "neighbours" or now.row not in before.listed:
        return Outcome(
            False,
            f"{now.galaxy} was not in the row of neighbours. Open the tab Neighbours and "
            "press one of its pictures.",
        )
    place = before.listed.index(now.row) + 1
    return Outcome(
        True,
        f"{now.galaxy} was number {place} among the nearest galaxies of {before.galaxy}: "
        "close in the latent space. Compare the two images.",
    )


def decoded(course: Course) -> Outcome:
    """Whether a latent was changed and decoded."""
    if course.now.decoded is None or course.now.decoded is course.begun.decoded:
        return Outcome()
    return Outcome(
        True,
        "The decoder drew a galaxy that is in no catalogue, from the numbers that you set.",
    )


def selected(course: Course) -> Outcome:
    """Whether the selection holds the region of the rare class, and not too much else."""
    rare, mask = course.rare, course.now.selected
    if mask is None or not mask.any():
        return Outcome()
    count, found, known = int(mask.sum()), int(mask[rare.rows].sum()), len(rare.rows)
    holds = f"{found} of the {known} {plural(rare.title)}"
    if found < ENOUGH * known:
        return Outcome(False, f"Your selection holds {holds}: enclose at least half of them.")
    if count > CLOSE * rare.total and found < count:
        return Outcome(
            False,
            f"Your selection holds {holds}, but also {100 * count / rare.total:.0f} % of all "
            "galaxies: draw it closer around them.",
        )
    chance = count * known / rare.total
    return Outcome(
        True,
        f"Your {count:,} galaxies hold {holds}; as many drawn at random would hold about "
        f"{chance:.1f}. That is what a latent space is good for.",
    )


def opened_lookalikes(course: Course) -> Outcome:
    """Whether the look-alikes of the rare class are listed."""
    rare, now = course.rare, course.now
    if now.tab != "lookalikes":
        return Outcome()
    if now.seeds != rare.name:
        return Outcome(False, f"Choose {rare.title} in the menu Look-alikes of.")
    return Outcome(
        bool(now.listed),
        f"These {len(now.listed):,} galaxies lie where the {plural(rare.title)} do, the most "
        "alike first. The catalogue says of none that it is one."
        if now.listed
        else "The page is working the list out.",
    )


def labelled(course: Course) -> Outcome:
    """Whether two look-alikes have been labelled since the step began."""
    begun, now = course.begun, course.now
    new = {row for row, label in now.labels.items() if begun.labels.get(row) != label}
    if not new:
        return Outcome()
    if now.tab != "lookalikes":
        return Outcome(False, "Label galaxies of the tab Look-alikes.")
    count = len(new & set(now.listed))
    if count >= LABELLED:
        return Outcome(
            True,
            f"You labelled {count} look-alikes. What you say is kept, with your name and the "
            "time, and can be undone.",
        )
    other = "One is labelled, one more to go." if count else "That one is not in the list below."
    return Outcome(False, other)


def opened_model(course: Course) -> Outcome:
    """Whether the model page is shown."""
    if course.now.page != "model":
        return Outcome()
    return Outcome(True, "This page compares what the model says with what was measured.")


def answered(course: Course) -> Outcome:
    """Whether the property that the model infers best was chosen."""
    scores, answer = course.now.scores, course.now.answer
    if not answer or answer not in scores:
        return Outcome()
    best = max(scores, key=lambda title: scores[title])
    if scores[answer] < scores[best]:
        return Outcome(
            False,
            f"R² of {answer} is {scores[answer]:.3f} in the table, and another one is higher: "
            "look again.",
        )
    return Outcome(
        True,
        f"R² of {answer} is {scores[best]:.3f}: the model explains "
        f"{100 * scores[best]:.0f} % of how it differs from galaxy to galaxy.",
    )


def exported(course: Course) -> Outcome:
    """Whether a list has been exported since the step began."""
    new = course.now.exported[len(course.begun.exported) :]
    if LIST in new:
        return Outcome(True, "The list is on your computer, ready for a spreadsheet or a program.")
    return Outcome(False, "That was another file: choose List, and download it." if new else "")


def never(_: Course) -> Outcome:
    """The end: there is nothing to be done."""
    return Outcome()


STEPS = (
    Step(
        "A map made by a network",
        "Each dot is a galaxy. A *neural network*, a program that learns from examples, looked at "
        "its images and wrote down a few numbers that sum it up: its *latents*. All latents "
        "together are like coordinates, and the space that they span is the *latent space*. The "
        "map shows two of its directions.",
        "Press a dot on the map, to pick that galaxy.",
        picked,
    ),
    Step(
        "Near means alike",
        "Nobody told the network which galaxies look alike. It had to rebuild each image from its "
        "latents, so similar galaxies got similar numbers. The row of pictures below lists the "
        "*neighbours* of your galaxy: those nearest to it in the latent space.",
        "In the tab Neighbours, press the picture of a neighbour.",
        picked_neighbour,
    ),
    Step(
        "From numbers back to an image",
        "The half of the network that draws an image from latents is the *decoder*. You may give "
        "it numbers of your own, and see what each stands for. Here some are tied to physics: "
        "*redshift* (how far the light was stretched on its way, so how far away it is), stellar "
        "mass, and the rate at which stars form.",
        "Open the tab Decode and move one of the sliders, by mouse or arrow keys.",
        decoded,
    ),
    Step(
        "Find the {rares}",
        "{kind} The map marks them; the key above it shows how. In the latent space they keep "
        "together, which is how unknown ones can be found. To *select* is to say which "
        "galaxies you mean.",
        "Choose the box or the lasso at the right edge of the map, and draw it around at least "
        "half of the {rares}. Without a mouse: type a condition in Find, such as "
        "log_mass < 9.3.",
        selected,
    ),
    Step(
        "More of their kind",
        "The known {rares} can lead to unknown ones. The page looks where in the latent space "
        "they lie most densely, and lists the other galaxies there: their *look-alikes*. Some "
        "are {rares} that the catalogue missed; some only look like them.",
        "Open the tab Look-alikes and choose {rare} under Look-alikes of.",
        opened_lookalikes,
    ),
    Step(
        "You are the judge",
        "A list made by a program is a proposal. Astronomers look at each *candidate*, a galaxy "
        "that may be of the kind, before they believe it. The right arrow key goes from one to "
        "the next.",
        "Pick two of the look-alikes and label each: the star on the card (key C) for a "
        "candidate, or a score from 0 (dull) to 5 (extraordinary) by its key.",
        labelled,
    ),
    Step(
        "Can the model be trusted?",
        "The network also *infers* properties: it reads redshift or mass off the image alone. For "
        "these galaxies they were measured otherwise too, and some were kept from the network "
        "while it learnt: the *test split*. On those it can be judged fairly.",
        "Open the page Model, at the top.",
        opened_model,
    ),
    Step(
        "Read the table",
        "Scroll down to How well the labels are inferred. *R²* says how much of the differences "
        "between galaxies the model explains: 1 is perfect, 0 is no better than saying the mean "
        "each time. The rows of the chosen model are the bright ones.",
        "Which of these does the chosen model infer best, by R²?",
        answered,
        asks=True,
    ),
    Step(
        "Take it with you",
        "A list is worth what others can check. The file holds each galaxy's place on the sky, "
        "its rank, your labels, and which model made the list.",
        "Go back to the page Explore, to the tab Look-alikes. Press Export at the right of "
        "the tabs, then Download.",
        exported,
    ),
    Step(
        "That is the whole way",
        "You read a map of latents, walked it by neighbours, drew galaxies from numbers, found "
        "the {rares}, judged their look-alikes and the model, and took a list away. The Queue "
        "goes on from here: it learns from your labels. Every word is explained under Help.",
        "",
        never,
    ),
)
