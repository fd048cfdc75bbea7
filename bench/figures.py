"""figures: what is computed of the measurements. Pure: numbers and text in, numbers out."""
import math
import statistics
from typing import NamedTuple


class Spread(NamedTuple):
    median: float
    least: float
    most: float


def spread(values):
    """Of what there is of them; nan where there is nothing."""
    known = [value for value in values if not math.isnan(value)]
    if not known:
        return Spread(math.nan, math.nan, math.nan)
    return Spread(statistics.median(known), min(known), max(known))


def median(values):
    return spread(values).median


def ratio(ours, theirs):
    """Of the ratios, round by round; rounds that only one of the two has do not count."""
    return spread([a / b if b else math.nan for a, b in zip(ours, theirs)])


def best(values, lower_is_better):
    """The name whose values have the best median; None when nobody has any. {name: values}"""
    medians = {name: median(each) for name, each in values.items()}
    known = {name: value for name, value in medians.items() if not math.isnan(value)}
    if not known:
        return None
    return (min if lower_is_better else max)(known, key=known.get)


def is_out_of_race(values, rivals, factor):
    """Whether every one of `values` is more than `factor` times the worst of the cheapest rival's:
    more rounds would not make it the best. {name: values} of rivals."""
    name = best(rivals, True)
    if name is None or not values:
        return False
    return min(values) > factor * max(rivals[name])


def busy_s(text, core, ticks_a_second):
    """Time that a core was not idle: user, nice, system, irq, softirq of /proc/stat. proc(5)."""
    for line in text.splitlines():
        fields = line.split()
        if fields and fields[0] == f"cpu{core}":
            user, nice, system, _, _, irq, softirq = map(int, fields[1:8])
            return (user + nice + system + irq + softirq) / ticks_a_second
    raise ValueError(f"/proc/stat has no cpu{core}")
