"""Golden answers for servers that share, to 30 digits and more, written to sharing.json beside this script.

    python3 sharing.py

The program is written from the mathematics (docs/solving.md, "Servers that share"), not from the solver, and uses
another method: a path-following barrier method over all tokens at once, and at its end Newton's method on the whole
KKT system of the active limits. All derivatives of the queue are differences in 120 digits, so that no formula for
a derivative is shared with the solver. Needs mpmath alone.
"""
import json
import os
import random
import sys
from itertools import product

import mpmath as mp

mp.mp.dps = 120
STEP = mp.mpf(10) ** -36


# ------------------------------------------------------------------ the queue


class Queue:
    """What an allocation does to one server: functions of the mean output tokens O and the mean work W."""

    def __init__(self, problem, arrival_rate=None):
        self.types = problem['taskTypes']
        rate = mp.mpf(problem['arrivalRate']) if arrival_rate is None else arrival_rate
        self.rate = rate / problem.get('servers', 1)
        self.alpha = mp.mpf(problem['sharing']['overheadSecondsPerToken'])
        self.cap = problem['sharing'].get('maxInService')
        self.later = mp.mpf(0)
        self.slowest = mp.mpf(0)
        for t in self.types:
            cost = mp.mpf(t['service']['secondsPerToken'])
            square = mp.mpf(t['service'].get('secondsPerTokenSquared', 0))
            self.later += mp.mpf(t['share']) * cost * max(mp.mpf(t.get('answerTokens', 0)) - 1, 0)
            self.slowest = max(self.slowest, cost + square * t['maxTokens'])

    def utilization(self, output, work):
        slots = self.alpha * output / self.cap if self.cap else 0
        return self.rate * (work + slots)

    def times(self, output, work):
        """E[T] and E[Wq]: closed without a cap; with one the birth-death chain, state by state, and its tail."""
        overhead = self.alpha * output
        if not self.cap or self.rate == 0:
            return (overhead + work) / (1 - self.rate * work), mp.mpf(0)
        # At n the chain leaves at the rate n/(overhead + n work), and at the cap's rate beyond the cap.
        weight, total, number, waiting = mp.mpf(1), mp.mpf(1), mp.mpf(0), mp.mpf(0)
        for n in range(1, self.cap):
            weight *= self.rate * (overhead + n * work) / n
            total += weight
            number += n * weight
        ratio = self.rate * (overhead + self.cap * work) / self.cap
        weight *= ratio
        tail = weight / (1 - ratio)
        beyond = weight * ratio / (1 - ratio) ** 2
        total += tail
        number += self.cap * tail + beyond
        return number / total / self.rate, beyond / total / self.rate

    def system_time(self, output, work):
        return self.times(output, work)[0]

    def stretch(self, output, work):
        system, wait = self.times(output, work)
        return (system - wait) / (self.alpha * output + work)

    def inter_token(self, output, work):
        """Exact without a cap; with one the bound by the work alone that the limit is held to."""
        busy = self.rate * work
        longest = sum(busy ** i for i in range(self.cap)) if self.cap else 1 / (1 - busy)
        return self.slowest * longest

    def first_answer(self, output, work):
        wait = self.times(output, work)[1]
        return wait + (self.alpha * output + work - self.later) * self.stretch(output, work)


class Bent:
    """A function of (O, W) with its first and second derivatives at a point."""

    def __init__(self, function, output, work):
        dx = STEP * (1 + abs(output))
        dy = STEP * (1 + abs(work))
        at = {(i, j): function(output + i * dx, work + j * dy) for i in (-1, 0, 1) for j in (-1, 0, 1)}
        self.value = at[0, 0]
        self.x = (at[1, 0] - at[-1, 0]) / (2 * dx)
        self.y = (at[0, 1] - at[0, -1]) / (2 * dy)
        self.xx = (at[1, 0] - 2 * at[0, 0] + at[-1, 0]) / dx ** 2
        self.yy = (at[0, 1] - 2 * at[0, 0] + at[0, -1]) / dy ** 2
        self.xy = (at[1, 1] - at[1, -1] - at[-1, 1] + at[-1, -1]) / (4 * dx * dy)


# ------------------------------------------------------------------ the problem

LIMITS = [
    ('meanTokenBudget', 'meanTokenBudget'),
    ('maxMeanSystemTimeSeconds', 'maxMeanSystemTime'),
    ('maxUtilization', 'maxUtilization'),
    ('maxInterTokenSeconds', 'maxInterTokenSeconds'),
    ('maxTimeToFirstAnswerTokenSeconds', 'maxTimeToFirstAnswerTokenSeconds'),
]


class Allocation:
    """The problem max A sum pi w p(l) - E[T] within bounds and limits, with gradients and Hessians in l."""

    def __init__(self, problem):
        self.problem = problem
        self.queue = Queue(problem)
        self.count = len(problem['taskTypes'])
        get = lambda path: [self._get(t, path) for t in problem['taskTypes']]
        self.share, self.weight = get('share'), get('weight')
        self.floor, self.gain, self.slope = get('accuracy.floor'), get('accuracy.gain'), get('accuracy.ratePerToken')
        self.base, self.cost = get('service.baseSeconds'), get('service.secondsPerToken')
        self.square = get('service.secondsPerTokenSquared')
        self.answer = get('answerTokens')
        self.worth = mp.mpf(problem['accuracyWeight'])
        self.lower, self.upper = get('minTokens'), get('maxTokens')
        for k, t in enumerate(problem['taskTypes']):
            if t.get('accuracyFloor') is not None and t['accuracyFloor'] > t['accuracy']['floor']:
                part = (mp.mpf(t['accuracyFloor']) - self.floor[k]) / self.gain[k]
                self.lower[k] = max(self.lower[k], -mp.log(1 - part) / self.slope[k])
        self.limits = []
        for name, price in LIMITS:
            if problem.get(name) is not None:
                self.limits.append((name, price, mp.mpf(problem[name]), self.used(name, self.queue)))

    @staticmethod
    def _get(item, path):
        for part in path.split('.'):
            item = item.get(part, 1.0 if part == 'weight' else 0)
        return mp.mpf(item)

    def used(self, name, queue):
        answers = sum(p * m for p, m in zip(self.share, self.answer))
        return {
            'meanTokenBudget': lambda output, work: output - answers,
            'maxMeanSystemTimeSeconds': queue.system_time,
            'maxUtilization': queue.utilization,
            'maxInterTokenSeconds': queue.inter_token,
            'maxTimeToFirstAnswerTokenSeconds': queue.first_answer,
        }[name]

    def sums(self, tokens):
        output = sum(p * (m + l) for p, m, l in zip(self.share, self.answer, tokens))
        lone = sum(p * (a + c * l + q * l * l)
                   for p, a, c, q, l in zip(self.share, self.base, self.cost, self.square, tokens))
        return output, lone - self.queue.alpha * output

    def accuracy(self, tokens):
        return sum(p * w * (d + a * (1 - mp.exp(-b * l)))
                   for p, w, d, a, b, l in
                   zip(self.share, self.weight, self.floor, self.gain, self.slope, tokens))

    def objective(self, tokens):
        return self.worth * self.accuracy(tokens) - self.queue.system_time(*self.sums(tokens))

    def is_within(self, tokens):
        output, work = self.sums(tokens)
        if self.queue.utilization(output, work) >= 1:
            return False
        return all(use(output, work) <= most * (1 + mp.mpf('1e-12')) for _, _, most, use in self.limits)

    def slack(self, tokens):
        """Slacks of all limits, relative; None where the queue is unstable."""
        output, work = self.sums(tokens)
        if self.queue.utilization(output, work) >= 1:
            return None
        return [(most - use(output, work)) / most for _, _, most, use in self.limits]

    def work_slope(self, tokens):
        return [c - self.queue.alpha + 2 * q * l for c, q, l in zip(self.cost, self.square, tokens)]

    def lift(self, bent, tokens):
        """Gradient and Hessian in the tokens of a function of (O, W)."""
        n, slope = range(self.count), self.work_slope(tokens)
        gradient = [self.share[k] * (bent.x + bent.y * slope[k]) for k in n]
        hessian = [[self.share[k] * self.share[j]
                    * (bent.xx + bent.xy * (slope[k] + slope[j]) + bent.yy * slope[k] * slope[j]) for j in n] for k in n]
        for k in n:
            hessian[k][k] += self.share[k] * bent.y * 2 * self.square[k]
        return gradient, hessian

    def derivatives(self, tokens):
        """Gradient and Hessian of the objective, and of each limit's use."""
        n = range(self.count)
        output, work = self.sums(tokens)
        time_gradient, time_hessian = self.lift(Bent(self.queue.system_time, output, work), tokens)
        gradient, hessian = [], [[-time_hessian[k][j] for j in n] for k in n]
        for k in n:
            rise = self.worth * self.share[k] * self.weight[k] * self.gain[k] * self.slope[k]
            rise *= mp.exp(-self.slope[k] * tokens[k])
            gradient.append(rise - time_gradient[k])
            hessian[k][k] -= rise * self.slope[k]
        uses = [self.lift(Bent(use, output, work), tokens) for _, _, _, use in self.limits]
        return gradient, hessian, uses


# ------------------------------------------------------------------ the method


def barrier(it, tokens, mu):
    slack = it.slack(tokens)
    if slack is None or any(s <= 0 for s in slack):
        return -mp.inf
    value = it.objective(tokens) + mu * sum(mp.log(s) for s in slack)
    for k in range(it.count):
        if it.upper[k] > it.lower[k]:
            below, above = tokens[k] - it.lower[k], it.upper[k] - tokens[k]
            if below <= 0 or above <= 0:
                return -mp.inf
            value += mu * (mp.log(below) + mp.log(above))
    return value


def centre(it, tokens, mu):
    """Damped Newton steps to the maximum of the barrier function."""
    free = [k for k in range(it.count) if it.upper[k] > it.lower[k]]
    for _ in range(200):
        gradient, hessian, uses = it.derivatives(tokens)
        output, work = it.sums(tokens)
        for (_, _, most, use), (g, h) in zip(it.limits, uses):
            slack = most - use(output, work)
            for k in free:
                gradient[k] -= mu * g[k] / slack
                for j in free:
                    hessian[k][j] -= mu * (h[k][j] / slack + g[k] * g[j] / slack ** 2)
        for k in free:
            below, above = tokens[k] - it.lower[k], it.upper[k] - tokens[k]
            gradient[k] += mu * (1 / below - 1 / above)
            hessian[k][k] -= mu * (1 / below ** 2 + 1 / above ** 2)
        step = ascent(gradient, hessian, free)
        rise = sum(gradient[k] * d for k, d in zip(free, step))
        now, part = barrier(it, tokens, mu), mp.mpf(1)
        while True:
            moved = list(tokens)
            for k, d in zip(free, step):
                moved[k] += part * d
            if barrier(it, moved, mu) >= now + part * rise / 10000:
                break
            part /= 2
            if part < mp.mpf(10) ** -60:
                return tokens
        tokens = moved
        if rise < mu * mp.mpf('1e-6'):
            return tokens
    return tokens


def ascent(gradient, hessian, free):
    """Newton's step, with enough added to the curvature to make it one of ascent."""
    size = len(free)
    scale = max(abs(hessian[k][k]) for k in free)
    added = mp.mpf(0)
    while True:
        matrix = mp.matrix(size, size)
        for a, k in enumerate(free):
            for b, j in enumerate(free):
                matrix[a, b] = -hessian[k][j] + (added if a == b else 0)
        try:
            mp.cholesky(matrix)
            return list(mp.lu_solve(matrix, mp.matrix([gradient[k] for k in free])))
        except ValueError:
            added = max(10 * added, scale * mp.mpf(10) ** -20)


def polish(it, tokens):
    """Newton's method on the KKT system of the limits and bounds that the barrier's path ends at."""
    near = mp.mpf(10) ** -9
    tokens = list(tokens)
    free = []
    bound = ['none'] * it.count
    for k in range(it.count):
        if tokens[k] - it.lower[k] <= near * (1 + it.lower[k]):
            tokens[k], bound[k] = it.lower[k], 'lower'
        elif it.upper[k] - tokens[k] <= near * it.upper[k]:
            tokens[k], bound[k] = it.upper[k], 'max'
        else:
            free.append(k)
    active = [i for i, s in enumerate(it.slack(tokens)) if s <= near]
    prices = [mp.mpf(0)] * len(it.limits)
    for _ in range(60):
        gradient, hessian, uses = it.derivatives(tokens)
        output, work = it.sums(tokens)
        size = len(free) + len(active)
        matrix, residual = mp.matrix(size, size), mp.matrix(size, 1)
        for a, k in enumerate(free):
            residual[a] = gradient[k] - sum(prices[i] * uses[i][0][k] for i in active)
            for b, j in enumerate(free):
                matrix[a, b] = hessian[k][j] - sum(prices[i] * uses[i][1][k][j] for i in active)
            for c, i in enumerate(active):
                matrix[a, len(free) + c] = -uses[i][0][k]
        for c, i in enumerate(active):
            residual[len(free) + c] = it.limits[i][2] - it.limits[i][3](output, work)
            for b, j in enumerate(free):
                matrix[len(free) + c, b] = -uses[i][0][j]
        if size == 0 or max(abs(residual[a]) for a in range(size)) < mp.mpf(10) ** -55:
            break
        step = mp.lu_solve(matrix, -residual)
        for a, k in enumerate(free):
            tokens[k] += step[a]
        for c, i in enumerate(active):
            prices[i] += step[len(free) + c]
    else:
        raise ArithmeticError('Newton did not end')
    check(it, tokens, bound, prices)
    return tokens, bound, prices


def check(it, tokens, bound, prices):
    """The KKT conditions, all of them."""
    gradient, _, uses = it.derivatives(tokens)
    assert all(p >= 0 for p in prices), prices
    assert all(s >= -mp.mpf(10) ** -40 for s in it.slack(tokens))
    for k in range(it.count):
        slope = gradient[k] - sum(p * u[0][k] for p, u in zip(prices, uses))
        assert it.lower[k] <= tokens[k] <= it.upper[k]
        assert bound[k] != 'none' or abs(slope) < mp.mpf(10) ** -50, slope
        assert bound[k] != 'lower' or slope <= 0, slope
        assert bound[k] != 'max' or slope >= 0, slope


def solve(it, starts):
    """The best of several starts; one is enough where the objective is concave."""
    best = None
    chance = random.Random(1)
    for number in range(starts):
        away = [mp.mpf(chance.random()) if number else mp.mpf('0.5') for _ in range(it.count)]
        part = mp.mpf(1)
        while True:
            tokens = [lo + part * a * (hi - lo) for lo, hi, a in zip(it.lower, it.upper, away)]
            slack = it.slack(tokens)
            if slack is not None and all(s > 0 for s in slack):
                break
            part /= 2
            assert part > mp.mpf(10) ** -12, 'the fewest tokens break a limit'
        mu = mp.mpf(10) ** (1 if number == 0 else -2)
        while mu > mp.mpf(10) ** -26:
            tokens = centre(it, tokens, mu)
            mu /= 30
        found = polish(it, tokens)
        if best is None or it.objective(found[0]) > it.objective(best[0]):
            best = found
    return best


def per_arrival_rate(it, tokens, prices):
    """The derivative of the Lagrangian by the fleet's arrival rate."""
    output, work = it.sums(tokens)
    rate = mp.mpf(it.problem['arrivalRate'])
    step = STEP * rate if rate > 0 else STEP

    def lagrangian(at):
        queue = Queue(it.problem, at)
        charged = sum(p * it.used(name, queue)(output, work) for p, (name, *_) in zip(prices, it.limits))
        return -queue.system_time(output, work) - charged

    return (lagrangian(rate + step) - lagrangian(rate - step)) / (2 * step)


def whole_lower(it, k):
    return int(mp.ceil(it.lower[k]))


def best_whole(it, tokens, reach):
    """The best whole tokens within some of the continuous optimum."""
    near = []
    for k in range(it.count):
        least, most = whole_lower(it, k), int(it.upper[k])
        middle = int(mp.floor(tokens[k]))
        near.append([l for l in range(middle - reach + 1, middle + reach + 1) if least <= l <= most]
                    or [min(max(middle, least), most)])
    best = None
    for each in product(*near):
        whole = [mp.mpf(l) for l in each]
        if it.is_within(whole) and (best is None or it.objective(whole) > best[0]):
            best = (it.objective(whole), each)
    return best


def figures(it, whole):
    """What an allocation of whole tokens does to the queue."""
    tokens = [mp.mpf(l) for l in whole]
    output, work = it.sums(tokens)
    system, wait = it.queue.times(output, work)
    seconds = sum(p * (c * (m + l) + q * l * l)
                  for p, c, q, m, l in zip(it.share, it.cost, it.square, it.answer, tokens))
    return {
        'meanSystemTimeSeconds': digits(system),
        'meanWaitSeconds': digits(wait),
        'meanInService': digits(it.queue.rate * (system - wait)),
        'interTokenSeconds': digits(it.queue.stretch(output, work) * seconds / output) if output > 0 else None,
        'meanTimeToFirstAnswerTokenSeconds': digits(first_of_types(it, tokens)),
        'utilization': digits(it.queue.utilization(output, work)),
    }


def first_of_types(it, tokens):
    return it.queue.first_answer(*it.sums(tokens))


def digits(number):
    return mp.nstr(number, 32, strip_zeros=False)


# ------------------------------------------------------------------ the problems


def task(name, share, answer, least, most, base, cost, curve, weight=1.0, square=0.0, floor=None):
    line = {'baseSeconds': base, 'secondsPerToken': cost}
    if square:
        line['secondsPerTokenSquared'] = square
    it = {'id': name, 'share': share, 'weight': weight, 'minTokens': least, 'maxTokens': most, 'answerTokens': answer,
          'service': line, 'accuracy': dict(zip(('floor', 'gain', 'ratePerToken'), curve))}
    if floor is not None:
        it['accuracyFloor'] = floor
    return it


def server(costs=(0.02101, 0.02101, 0.02101), squares=(0.0, 0.0, 0.0), most=32768, floors=(None, None, None)):
    rows = [('math', 0.3, 100, (0.2, 0.6, 0.001)), ('code', 0.3, 300, (0.3, 0.5, 0.0006)),
            ('chat', 0.4, 200, (0.5, 0.3, 0.003))]
    return [task(name, share, answer, 0, most, round(0.05 + c * answer, 6), c, curve, square=q, floor=f)
            for (name, share, answer, curve), c, q, f in zip(rows, costs, squares, floors)]


def base(**changes):
    it = {'arrivalRate': 1.0, 'servers': 1, 'dispatch': 'sharing',
          'sharing': {'overheadSecondsPerToken': 0.0206}, 'accuracyWeight': 300.0, 'taskTypes': server()}
    it.update(changes)
    return it


def chance(seed, kind):
    """A problem by chance: common, near or wild costs."""
    it = random.Random(seed)
    between = lambda low, high: low + (high - low) * it.random()
    count = it.randint(2, 5)
    raw = [it.randint(1, 8) for _ in range(count)]
    alpha = float(f'{10 ** between(-3, -1.6):.4g}')
    delta = alpha * 10 ** between(-2, 0)
    types = []
    for k in range(count):
        factor = {'common': 1, 'near': between(0.7, 1.4), 'wild': 10 ** between(-2, 1)}[kind]
        cost = float(f'{alpha + delta * factor:.6g}')
        answer = it.choice([0, it.randint(1, 400)])
        square = float(f'{delta * 10 ** between(-6, -4):.3g}') if kind == 'wild' and it.random() < 0.5 else 0.0
        gain = between(0.1, 0.6)
        curve = (round(between(0, 0.35), 3), round(gain, 3), float(f'{10 ** between(-3.3, -1.5):.4g}'))
        types.append(task(f'type-{k}', raw[k] / sum(raw), answer, it.choice([0, 0, 20]), it.randint(200, 20000),
                          float(f'{answer * cost * 1.001 + between(0.01, 0.5):.6g}'), cost, curve,
                          weight=it.choice([1.0, 0.5, 3.0]), square=square))
    # The most that the fewest tokens leave room for, and a part of that.
    probe = Allocation(base(arrivalRate=0.0, sharing={'overheadSecondsPerToken': alpha}, taskTypes=types))
    load = probe.sums(probe.lower)[1]
    return base(arrivalRate=float(f'{between(0.05, 0.8) / float(load):.5g}'), taskTypes=types,
                sharing={'overheadSecondsPerToken': alpha}, accuracyWeight=round(10 ** between(1.7, 3.5), 2))


NEAR = (0.0209, 0.0212, 0.02105)
WILD = (0.0209, 0.0266, 0.02065)
BENT = (2e-8, 0.0, 5e-8)


def problems():
    capped = {'overheadSecondsPerToken': 0.0206, 'maxInService': 32}
    plain = {'overheadSecondsPerToken': 0.0}
    bound = server(most=1500)
    yield 'common', 'one cost for all', base()
    yield 'near', 'costs near each other', base(taskTypes=server(NEAR))
    yield 'wild', 'marginal costs over two decades', base(taskTypes=server(WILD), arrivalRate=0.4)
    yield 'bent', 'context makes later tokens slower', base(taskTypes=server(squares=BENT))
    yield 'bent-wild', 'and costs differ', base(taskTypes=server(WILD, BENT), arrivalRate=0.3)
    yield 'bent-much', 'context as dear as the token', base(
        taskTypes=server(squares=(1e-6, 2e-7, 5e-7)), arrivalRate=0.3)
    yield 'one-type', 'a single type', base(taskTypes=[dict(server()[0], share=1.0)])
    yield 'bounds', 'some types at their bounds', base(taskTypes=bound, accuracyWeight=3000.0)
    yield 'all-lower', 'nothing is worth a token', base(accuracyWeight=0.5)
    yield 'cap', 'at most 32 in service', base(sharing=capped, arrivalRate=0.3)
    yield 'cap-one', 'one in service: M/M/1', base(sharing=dict(capped, maxInService=1), arrivalRate=0.03)
    yield 'cap-near', 'a cap and costs near each other', base(
        sharing=capped, taskTypes=server(NEAR), arrivalRate=0.5)
    yield 'cap-bent', 'a cap, and context', base(
        sharing=dict(capped, maxInService=200), taskTypes=server(squares=BENT), arrivalRate=0.8)
    yield 'cap-wide', 'a cap that hardly matters', base(sharing=dict(capped, maxInService=400), arrivalRate=0.6)
    yield 'servers', 'five servers', base(servers=5, arrivalRate=4.0)
    yield 'servers-near', 'three servers and near costs', base(servers=3, arrivalRate=2.5, taskTypes=server(NEAR))
    yield 'budget', 'mean tokens alone', base(meanTokenBudget=700.0)
    yield 'time', 'mean system time alone', base(maxMeanSystemTimeSeconds=30.0)
    yield 'utilization', 'utilization alone', base(maxUtilization=0.3)
    yield 'inter-token', 'time between tokens alone', base(maxInterTokenSeconds=0.028)
    yield 'first-answer', 'time to the first answer token alone', base(maxTimeToFirstAnswerTokenSeconds=25.0)
    yield 'slack', 'limits that do not bind', base(meanTokenBudget=20000.0, maxMeanSystemTimeSeconds=500.0)
    yield 'two-common', 'budget and time, of which one binds', base(
        meanTokenBudget=900.0, maxMeanSystemTimeSeconds=25.0)
    yield 'two-near', 'two limits at once', base(
        taskTypes=server(WILD), arrivalRate=0.3, meanTokenBudget=550.0, maxUtilization=0.21)
    yield 'time-near', 'system time with near costs', base(taskTypes=server(NEAR), maxMeanSystemTimeSeconds=30.0)
    yield 'budget-near', 'budget with near costs', base(taskTypes=server(NEAR), meanTokenBudget=600.0)
    yield 'first-bent', 'first token with context', base(
        taskTypes=server(squares=BENT), maxTimeToFirstAnswerTokenSeconds=25.0)
    yield 'cap-time', 'system time with a cap', base(
        sharing=capped, arrivalRate=0.4, maxMeanSystemTimeSeconds=30.0)
    yield 'cap-first', 'first token with a cap', base(
        sharing=capped, arrivalRate=0.4, maxTimeToFirstAnswerTokenSeconds=22.0)
    yield 'cap-inter-token', 'time between tokens with a cap', base(
        sharing=capped, arrivalRate=0.5, maxInterTokenSeconds=0.026)
    yield 'cap-utilization', 'utilization with a cap', base(sharing=capped, arrivalRate=0.4, maxUtilization=0.5)
    yield 'floors', 'accuracy floors', base(taskTypes=server(floors=(0.7, None, 0.75)))
    yield 'floors-budget', 'accuracy floors and a budget', base(
        taskTypes=server(floors=(0.7, None, 0.75)), meanTokenBudget=800.0)
    yield 'no-overhead', 'alpha = 0: M/G/1 with processor sharing', base(
        sharing=plain, arrivalRate=0.05, taskTypes=server(NEAR))
    yield 'rare', 'hardly any arrivals', base(arrivalRate=1e-9, taskTypes=server(NEAR, BENT))
    yield 'none', 'no arrivals', base(arrivalRate=0.0, taskTypes=server(NEAR))
    yield 'full', 'near saturation', base(accuracyWeight=1e6)
    yield 'fuller', 'less than a thousandth idle', base(accuracyWeight=1e9)
    for kind, seeds in (('common', (1, 2)), ('near', (3, 4, 5)), ('wild', (6, 7, 8, 9))):
        for seed in seeds:
            yield f'{kind}-{seed}', f'by chance, {kind} costs', chance(seed, kind)


def answer(name, note, problem):
    it = Allocation(problem)
    concave = len({(t['service']['secondsPerToken'], t['service'].get('secondsPerTokenSquared', 0))
                   for t in problem['taskTypes']}) == 1
    tokens, bound, prices = solve(it, 1 if concave else 3)
    output, work = it.sums(tokens)
    whole = best_whole(it, tokens, 2 if it.count <= 3 else 1)
    asked = dict.fromkeys((price for _, price in LIMITS), '0')
    for (_, price, _, _), value in zip(it.limits, prices):
        asked[price] = digits(value)
    return {
        'id': name,
        'note': note,
        'problem': problem,
        'expected': {
            'objective': digits(it.objective(tokens)),
            'meanSystemTimeSeconds': digits(it.queue.system_time(output, work)),
            'weightedAccuracy': digits(it.accuracy(tokens)),
            'tokensContinuous': [digits(l) for l in tokens],
            'bound': bound,
            'shadowPrices': asked,
            'objectivePerArrivalRate': digits(per_arrival_rate(it, tokens, prices)),
            'whole': {'tokens': list(whole[1]), 'objective': digits(whole[0]), **figures(it, whole[1])},
        },
    }


def main():
    answers = []
    for name, note, problem in problems():
        answers.append(answer(name, note, problem))
        expected = answers[-1]['expected']
        prices = {k: v[:8] for k, v in expected['shadowPrices'].items() if float(v) != 0}
        print(name, expected['objective'][:12], [l[:8] for l in expected['tokensContinuous']], expected['bound'],
              'rho', expected['whole']['utilization'][:8], prices, file=sys.stderr, flush=True)
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), 'sharing.json'), 'w') as file:
        json.dump(answers, file, indent=1)
        file.write('\n')


if __name__ == '__main__':
    main()
