"""Writes laplace.json: the exact sampler of the discrete Laplace distribution, a second time.

`draws` are numbers drawn from fixed words by an implementation of its own (exact fractions, no
machine words), `bins` the exact probabilities that a statistical test compares counts with, to 50
digits before they are written. Standard library only.
Run: python3 tests/vectors/laplace.py > tests/vectors/laplace.json
"""

import json
from decimal import Decimal, getcontext
from fractions import Fraction

getcontext().prec = 50


def splitmix64(state):
    while True:
        state = (state + 0x9E3779B97F4A7C15) % 2**64
        word = state
        word = (word ^ (word >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
        word = (word ^ (word >> 27)) * 0x94D049BB133111EB % 2**64
        yield word ^ (word >> 31)


class Coins:
    def __init__(self, words):
        self.words, self.bits = words, []

    def take(self, count):
        """Bits of one word, the lowest first; a rest that is too short is dropped."""
        if len(self.bits) < count:
            word = next(self.words)
            self.bits = [word >> i & 1 for i in range(64)]
        taken, self.bits = self.bits[:count], self.bits[count:]
        return sum(bit << i for i, bit in enumerate(taken))

    def below(self, bound):
        if bound == 1:
            return 0
        if bound <= 256:
            while (byte := self.take(8)) >= 256 // bound * bound:
                pass
            return byte % bound
        size = 2**32 if bound <= 2**32 else 2**64
        while True:
            # The number is the whole part of bound · u; it is kept if its share is a fair one.
            drawn = Fraction(self.take(32) if size == 2**32 else next(self.words), size) * bound
            whole = drawn.numerator // drawn.denominator
            if (drawn - whole) * size >= size % bound:
                return whole

    def bernoulli_exp(self, numerator, denominator):
        """Algorithm 1 of Canonne, Kamath, Steinke (2020) for a fraction of at most 1."""
        if numerator == 0:
            return True
        k = 1
        while True:
            if self.below(k) > 0:
                return k % 2 == 1
            if numerator < denominator and self.below(denominator) >= numerator:
                return k % 2 == 1
            k += 1


def discrete_laplace(words, scale):
    """Algorithm 2, scale = t/s in lowest terms."""
    coins = Coins(words)
    t, s = scale.numerator, scale.denominator
    while True:
        u = coins.below(t)
        if not coins.bernoulli_exp(u, t):
            continue
        v = 0
        while coins.bernoulli_exp(1, 1):
            v += 1
        y = (u + t * v) // s
        if coins.take(1) == 0:
            return y
        if y > 0:
            return -y


def below_or_at(x, rate):
    """P(X <= x) for P(x) proportional to e^(-rate |x|)."""
    q = (-rate).exp()
    if x < 0:
        return q ** (-x) / (1 + q)
    return 1 - q ** (x + 1) / (1 + q)


def bins(sensitivity, micro):
    """Cuts the line into a hundred pieces or so, each of one number at least; tails are merged."""
    rate = Decimal(micro) / (10**6 * Decimal(sensitivity))
    step = max(1, int(Decimal("0.2") / rate))
    reach = int(7 / rate) // step
    edges = [n * step - step // 2 for n in range(-reach, reach + 2)]
    edges = [e for e in edges if 0.0005 < below_or_at(e - 1, rate) < 0.9995]
    cumulative = [Decimal(0), *(below_or_at(edge - 1, rate) for edge in edges), Decimal(1)]
    shares = [float(b - a) for a, b in zip(cumulative, cumulative[1:])]
    edges = list(map(str, edges))
    return {"sensitivity": sensitivity, "micro": micro, "edges": edges, "shares": shares}


SCALES = [
    (1, 10**6),
    (10, 10**6),
    (1, 123457),
    (7, 10**7),
    (3, 2 * 10**6),
    (200_000, 10**6),
    (2**40, 10**6),
    (2**32 + 1, 333_333),
    (2**63 // 10**6, 1),
    (2**63 // 10**6 - 1, 999_999),
]


def main():
    draws = []
    for at, (sensitivity, micro) in enumerate([*SCALES, (1, 10**7), (1, 1)]):
        words = splitmix64(at)
        scale = Fraction(sensitivity * 10**6, micro)
        # As texts, as the edges are: some have more than 64 bits.
        numbers = [str(discrete_laplace(words, scale)) for _ in range(200)]
        draws.append({"sensitivity": sensitivity, "micro": micro, "state": at, "numbers": numbers})
    lines = ['"draws": [\n' + ",\n".join(map(json.dumps, draws)) + "\n]"]
    lines.append('"bins": [\n' + ",\n".join(json.dumps(bins(*s)) for s in SCALES) + "\n]")
    print("{\n" + ",\n".join(lines) + "\n}")


if __name__ == "__main__":
    main()
