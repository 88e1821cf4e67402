"""One row of one service: score it from what is known, then learn from it.

Compiled by numba; the same function scores a history, a new minute and a thousand services, so that they agree.
Importing this takes seconds on a cold machine: import it where it is used.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from observatory.detectors.multiscale import layout as at
from observatory.detectors.multiscale.metric import invert, judge_metric, least_scale, start_metric
from observatory.detectors.multiscale.options import LOW_V, MERGED, PIECE, WIDTH_V
from observatory.detectors.multiscale.tails import learn, logistic, refresh, upper


@njit(cache=True)
def start(state, metrics, period):
    """A service of which nothing is known; `period` is the rows of a day."""
    state[:] = 0.0
    state[at.RATE] = 1.0
    state[at.SLOW_RATE] = 1.0
    state[at.BIN] = -1.0
    state[at.ANCHOR_AT] = 64.0
    state[at.PERIOD] = period
    state[at.QUIET] = MERGED + 1.0
    for k in range(at.VOTES):
        histogram = state[at.VOTE_HISTOGRAMS + k * at.LEVELS : at.VOTE_HISTOGRAMS + (k + 1) * at.LEVELS]
        tail = state[at.VOTE_TAILS + k * at.VOTE : at.VOTE_TAILS + (k + 1) * at.VOTE]
        centre = 0.5 * np.log(metrics + 1.0) if k == 2 else 0.3
        logistic(histogram, LOW_V, WIDTH_V, centre, 0.3, 50.0)
        tail[3] = 50.0
        refresh(histogram, 50.0, LOW_V, WIDTH_V, tail[0:3])
    for d in range(metrics):
        start_metric(state[at.METRICS + d * at.METRIC : at.METRICS + (d + 1) * at.METRIC])


@njit(cache=True)
def top_mean(values, count, scratch):
    """Mean of the `count` largest."""
    n = values.shape[0]
    for d in range(n):
        scratch[d] = values[d]
    total = 0.0
    for j in range(count):
        best = j
        for d in range(j + 1, n):
            if scratch[d] > scratch[best]:
                best = d
        scratch[j], scratch[best] = scratch[best], scratch[j]
        total += scratch[j]
    return total / count


@njit(cache=True)
def quadratic(matrix, vector):
    n, total = vector.shape[0], 0.0
    for d in range(n):
        s = 0.0
        for e in range(n):
            s += matrix[d, e] * vector[e]
        total += s * vector[d]
    return total


@njit(cache=True)
def score_row(state, row, specs, traffic, clock, o, parts, votes, scratch):
    """Score of one row of one service; `parts` receives each metric's evidence."""
    metrics = row.shape[0]
    period, age = state[at.PERIOD], state[at.AGE]
    memory = max(o.memory * period, 2000.0)
    bins = int(min(at.BINS, period))
    rate, slow_rate = state[at.RATE], state[at.SLOW_RATE]
    place = clock * bins - 0.5
    left = int(np.floor(place))
    share = place - left
    left, right, now = left % bins, (left + 1) % bins, int(clock * bins) % bins
    if now != int(state[at.BIN]):
        enter_bin(state, metrics, now, rate)
    state[at.IN_BIN] += 1
    n = int(age)
    due = n % 60 == 0 or (n < 240 and n % 8 == 0)
    visited = state[at.VISITS + left] > 0 and state[at.VISITS + right] > 0
    quiet = traffic >= 0 and row[traffic] * 300.0 < 20.0
    any_parts, slow = scratch[0, :metrics], scratch[1, :metrics]
    near, any_near = scratch[2, :metrics], scratch[3, :metrics]
    f, out = scratch[4], scratch[5, :8]
    when = (share, left, right, visited, due)
    present, jumps, any_jumps = 0, 0.0, 0.0
    for d in range(metrics):
        parts[d] = 0.0
        any_parts[d] = 0.0
        slow[d] = 0.0
        near[d] = 0.0
        any_near[d] = 0.0
        if not np.isfinite(row[d]):
            continue
        present += 1
        m = state[at.METRICS + d * at.METRIC : at.METRICS + (d + 1) * at.METRIC]
        judge_metric(m, row[d], specs[d], quiet, when, rate, slow_rate, memory, period, o, f, out)
        parts[d] = out[0]
        any_parts[d] = out[1]
        jumps += out[2]
        any_jumps += out[3]
        slow[d] = out[4]
        near[d] = out[5]
        any_near[d] = out[6]
    if present == 0:
        return 0.0
    remote, any_remote = remember(state, specs, slow, near, any_near, slow_rate, memory, o)
    count = min(int(max(1.0, np.floor(o.top * np.sqrt(present) + 0.5))), metrics)
    evidence = (
        (top_mean(parts, count, f), top_mean(any_parts, count, f)),
        (jumps / present, any_jumps / present),
        (np.sqrt(max(remote, 0.0)), np.sqrt(max(any_remote, 0.0))),
    )
    fused = vote(state, evidence, (rate, rate, slow_rate), memory, due, o, votes)
    worst = top_mean(parts, 1, f) - o.single_growth * np.log(present)
    fused = max(fused, o.line * worst / o.single)
    state[at.LONE] += o.smooth * (worst / o.single - state[at.LONE])
    lone = o.instant * worst / o.single + (1 - o.instant) * state[at.LONE]
    state[at.SMOOTH] += o.smooth * (fused - state[at.SMOOTH])
    score = o.instant * fused + (1 - o.instant) * state[at.SMOOTH]
    slow_learning_down(state, score, period, o)
    state[at.AGE] = age + 1
    return lined(state, score, lone, count, o)


@njit(cache=True, inline="always")
def enter_bin(state, metrics, now, rate):
    """The time of day moves on to another bin: each metric's profile learns from the one that is over."""
    last = int(state[at.BIN])
    is_over = last >= 0 and state[at.IN_BIN] > 0
    if is_over:
        state[at.VISITS + last] += 1
    for d in range(metrics):
        m = state[at.METRICS + d * at.METRIC : at.METRICS + (d + 1) * at.METRIC]
        if is_over:
            b = rate * max(0.15, 1.0 / max(1.0, state[at.VISITS + last] - 1))
            m[at.PROFILE + last] += b * (m[at.BIN_SUM] / state[at.IN_BIN] - m[at.PROFILE + last])
        m[at.BIN_SUM] = 0.0
    state[at.BIN] = now
    state[at.IN_BIN] = 0.0


@njit(cache=True, inline="always")
def remember(state, specs, slow, near, any_near, slow_rate, memory, o):
    """Distances, squared, from the anchored long memory (allowed, and any); then its covariance is learned."""
    metrics, age = slow.shape[0], state[at.AGE]
    first = at.METRICS + metrics * at.METRIC
    covariance = state[first : first + metrics * metrics].reshape(metrics, metrics)
    inverse = state[first + metrics * metrics : first + 2 * metrics * metrics].reshape(metrics, metrics)
    remote, any_remote = quadratic(inverse, near), quadratic(inverse, any_near)
    c = slow_rate * max(1.0 / (age + 1), 1.0 / memory)
    for d in range(metrics):
        for e in range(d + 1):
            covariance[d, e] += c * (slow[d] * slow[e] - covariance[d, e])
            covariance[e, d] = covariance[d, e]
    is_due = age >= state[at.ANCHOR_AT]
    if is_due and (state[at.RUN] == 0 or age >= state[at.ANCHOR_AT] + o.bound * state[at.PERIOD]):
        invert(covariance, 0.0, o.ridge, inverse)
        anchor(state, specs, metrics, age, o)
    return remote, any_remote


@njit(cache=True, inline="always")
def anchor(state, specs, metrics, age, o):
    """Hold on to what the long memory says now, until it is due again."""
    for d in range(metrics):
        m = state[at.METRICS + d * at.METRIC : at.METRICS + (d + 1) * at.METRIC]
        m[at.ANCHOR_MEAN] = m[at.SLOW_MEAN]
        m[at.ANCHOR_SD] = np.sqrt(m[at.SLOW_VARIANCE]) + least_scale(m[at.SLOW_MEAN], specs[d, 0])
        m[at.ANCHOR_SOFT] = m[at.SOFT_MEAN]
    for j in range(at.LEVELS):
        state[at.VOTE_HISTOGRAMS + 2 * at.LEVELS + j] *= o.anchor_keep
    state[at.VOTE_TAILS + 2 * at.VOTE + 3] *= o.anchor_keep
    state[at.ANCHOR_AT] = min(o.anchor_growth * age, age + o.anchor_days * state[at.PERIOD])


@njit(cache=True, inline="always")
def vote(state, evidence, rates, memory, due, o, votes):
    """Three kinds of evidence, each as surprise against its own history; their power mean."""
    age = state[at.AGE]
    fused, weights = 0.0, 0.0
    for k in range(at.VOTES):
        weight = o.vote_top if k == 0 else o.vote_breadth if k == 1 else o.vote_memory
        seen, any_seen = evidence[k]
        seen, any_seen = np.log(min(seen, any_seen) + 0.05), np.log(any_seen + 0.05)
        histogram = state[at.VOTE_HISTOGRAMS + k * at.LEVELS : at.VOTE_HISTOGRAMS + (k + 1) * at.LEVELS]
        tail = state[at.VOTE_TAILS + k * at.VOTE : at.VOTE_TAILS + (k + 1) * at.VOTE]
        votes[k] = 0.0
        if age >= o.young:
            votes[k] = min(upper(histogram, tail[3], seen, LOW_V, WIDTH_V, tail[0:3]), 30.0)
        if age >= 16:
            kept = min(memory, max(o.first, o.share * age))
            tail[3] = learn(histogram, tail[3], any_seen, LOW_V, WIDTH_V, rates[k], kept)
        if due:
            refresh(histogram, tail[3], LOW_V, WIDTH_V, tail[0:3])
        fused += weight * votes[k] ** o.power
        weights += weight
    return (fused / weights) ** (1.0 / o.power)


@njit(cache=True, inline="always")
def slow_learning_down(state, score, period, o):
    """A fault is not learned while it lasts, within bounds."""
    if score > o.frozen:
        state[at.STUCK] += 1
        state[at.RUN] += 1
        state[at.RATE] = min(1.0, o.freeze + (state[at.STUCK] / period) ** o.freeze_power)
        state[at.SLOW_RATE] = 1.0
        if state[at.RUN] > o.slow_wait * period:
            state[at.SLOW_RATE] = min(1.0, 0.02 + (state[at.STUCK] / (o.bound * period)) ** 2)
    else:
        state[at.STUCK] = max(0.0, state[at.STUCK] - o.thaw)
        state[at.RUN] = 0.0
        state[at.RATE] = 1.0
        state[at.SLOW_RATE] = 1.0


@njit(cache=True)
def lined(state, score, lone, count, o):
    """`score` in alarm lines. Each alarm raises the line for a day, so that a noisy day is not a hundred alarms; what
    it keeps down stays below 1, in order. A metric that is sure by itself is not kept down.
    """
    line = o.line if lone >= 1.0 else o.line + state[at.RAISED]
    if score >= line:
        state[at.LOUD] += 1
        if state[at.QUIET] > MERGED or state[at.LOUD] % PIECE == 0:
            state[at.RAISED] = min(state[at.RAISED] + o.raise_by, o.raise_most - o.line)
        state[at.QUIET] = 0.0
    else:
        state[at.QUIET] += 1
        state[at.LOUD] = 0.0
    state[at.RAISED] *= 1 - 1 / state[at.PERIOD]
    result = score / o.line
    if score < line and result > 0.9:
        result = 1 - 0.1 / (1 + 5 * (result - 0.9))
    # what lasts or has just been: the fewer metrics tell of it, the longer the time that is looked at
    state[at.SLOWLY] += 2.0 / (1.0 + max(1.0, o.slow_span / count**2)) * (score - state[at.SLOWLY])
    state[at.HELD] = max(state[at.HELD] * np.exp(-1.0 / max(o.hold_days * state[at.PERIOD] / count**2, 3.0)), score)
    lingering = max(state[at.SLOWLY], o.hold * state[at.HELD]) / o.line
    return max(result, min(lingering, 0.9))


@njit(cache=True)
def advance(states, owners, rows, specs, traffic, clocks, o, scores, parts, votes):
    """Score row after row: `rows` (n, metrics) of the services `owners` (n,) of `states` (services, size).

    `clocks` (n,) are shares of the day passed; `scores` (n,), `parts` (n, metrics), `votes` (n, at.VOTES) are filled.
    """
    metrics = rows.shape[1]
    scratch = np.zeros((6, max(metrics, 64)))
    for i in range(rows.shape[0]):
        state, clock = states[owners[i]], clocks[i]
        scores[i] = score_row(state, rows[i], specs, traffic, clock, o, parts[i], votes[i], scratch)
