"""The measures of anonymity a second time, straight from their definitions, for small tables."""

import math
import random
from collections import Counter, defaultdict


def table(seed):
    """Rows of two quasi-identifiers that may be NULL, a word and a number."""
    draw = random.Random(seed)
    return [
        (
            draw.choice([None, "x", "y", "z"]),
            draw.choice([None, 1, 2]),
            draw.choice("abcde"),
            draw.choice([-3, 0, 1, 10, 100]),
        )
        for _ in range(draw.randint(1, 40))
    ]


def classes(rows, keys):
    """Rows by their first columns."""
    found = defaultdict(list)
    for row in rows:
        found[row[:keys]].append(row)
    return found


def neighbours(rows, keys):
    """For each the rows that agree with it where both have a value (sdcMicro's freqCalc)."""

    def agree(one, other):
        return all(a is None or b is None or a == b for a, b in zip(one[:keys], other[:keys]))

    return [[other for other in rows if agree(row, other)] for row in rows]


def groups(rows, keys, null_matches):
    """The classes; with NULL standing for any value, what each row agrees with."""
    return neighbours(rows, keys) if null_matches else list(classes(rows, keys).values())


def shares(rows, place):
    """How often which value occurs."""
    counted = Counter(row[place] for row in rows)
    return {value: count / len(rows) for value, count in counted.items()}


def measures(rows, keys, place, null_matches=False):
    """All that needs no order of the values."""
    p = shares(rows, place)
    found = groups(rows, keys, null_matches)
    of = [(len(group), shares(group, place)) for group in found]
    ratios = [(q[s] / p[s]) for _, q in of for s in q]
    finite = max(abs(math.log(ratio)) for ratio in ratios)
    lacking = any(len(q) < len(p) for _, q in of)
    beta = max(ratio - 1 for ratio in ratios)
    beyond = any(q[s] / p[s] - 1 > -math.log(p[s]) + 1e-12 for _, q in of for s in q)
    return {
        "distinct": min(len(q) for _, q in of),
        "entropy": min(math.exp(-sum(v * math.log(v) for v in q.values())) for _, q in of),
        "c": [max(recursive(q, l) for _, q in of) for l in (1, 2, 3)],
        "alpha": max(max(q.values()) for _, q in of),
        "equal": max(sum(abs(q.get(s, 0) - p[s]) for s in p) / 2 for _, q in of),
        "delta": (math.inf if lacking else finite, finite),
        "beta": (beta, math.inf if beyond else beta),
    }


def recursive(q, l):
    """What c must be more than."""
    sorted_shares = sorted(q.values(), reverse=True)
    rest = sum(sorted_shares[l - 1 :])
    return sorted_shares[0] / rest if len(sorted_shares) >= l else math.inf


def along(rows, keys, place, distance, null_matches=False):
    """The distance of numbers in their order."""
    p = shares(rows, place)
    values = sorted(p)
    if len(values) == 1:
        return 0.0
    width = {
        "ordered": [1 / (len(values) - 1)] * (len(values) - 1),
        "numeric": [(b - a) / (values[-1] - values[0]) for a, b in zip(values, values[1:])],
    }[distance]
    farthest = 0.0
    for group in groups(rows, keys, null_matches):
        q = shares(group, place)
        so_far, moved = 0.0, 0.0
        for value, step in zip(values, width):
            so_far += q.get(value, 0) - p[value]
            moved += abs(so_far) * step
        farthest = max(farthest, moved)
    return farthest


def over_tree(rows, keys, place, parents):
    """The hierarchical distance, by moving earth from the lowest meeting points upwards."""

    def ways(value):
        found = [value]
        while parents[found[-1]] is not None:
            found.append(parents[found[-1]])
        return found

    height = defaultdict(int)
    for value in parents:
        for level, node in enumerate(ways(value)):
            height[node] = max(height[node], level)
    top = max(height.values())
    p = shares(rows, place)
    farthest = 0.0
    for group in classes(rows, keys).values():
        q = shares(group, place)
        rest = {value: q.get(value, 0) - p[value] for value in p}
        cost = 0.0
        for level in range(1, top + 1):
            for one in p:
                for other in p:
                    meeting = next(node for node in ways(one) if node in ways(other))
                    if height[meeting] == level and rest[one] > 0 > rest[other]:
                        moved = min(rest[one], -rest[other])
                        rest[one] -= moved
                        rest[other] += moved
                        cost += moved * level / top
        farthest = max(farthest, cost)
    return farthest
