"""One row of one service: score it from what is known, then learn from it.

Compiled by numba; the same function scores a history, a new minute and a thousand services, so that they agree.
Importing this takes seconds on a cold machine: import it where it is used.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from observatory.detectors.multiscale.layout import (
    AGE,
    ANCHOR_AT,
    ANCHOR_MEAN,
    ANCHOR_SD,
    ANCHOR_SOFT,
    BIN,
    BIN_SUM,
    BINS,
    CENTRE,
    DAY,
    DAYS,
    E3,
    E5,
    E15,
    E60,
    EH,
    ERROR_SD,
    FAST_MEAN,
    FAST_VARIANCE,
    GAIN,
    HELD,
    HISTOGRAM_A,
    HISTOGRAM_B,
    IN_BIN,
    INVERSE,
    LAG1,
    LAG2,
    LAG3,
    LAGS,
    LAST_PROFILE,
    LEVEL,
    LEVELS,
    LOUD,
    MEAN,
    METRIC,
    METRICS,
    OWN_AGE,
    PERIOD,
    PROFILE,
    QUIET,
    RAISED,
    RATE,
    RECURRENCE,
    ROUGHNESS,
    RUN,
    SCALES,
    SEASONAL,
    SLOW_MEAN,
    SLOW_RATE,
    SLOW_VARIANCE,
    SLOWLY,
    SMOOTH,
    SOFT_MEAN,
    SPREAD,
    STUCK,
    TAIL_A,
    TAIL_B,
    TOTAL_A,
    TOTAL_B,
    VARIANCE,
    VISITS,
    VOTE_HISTOGRAMS,
    VOTE_TAILS,
    VOTES,
    WEIGHTS,
)  # fmt: skip
from observatory.detectors.multiscale.tails import either, learn, logistic, refresh, upper


class Options(NamedTuple):
    """What can be varied in research; users set only the sensitivity."""

    line: float = 5.0  # mean surprise of the votes at which the alarm is raised
    young: float = 60.0  # rows before the first score
    memory: float = 28.0  # days
    fast_weight: float = 1.0  # of the innovation, against
    scale_weight: float = 2.0  # that of the multi-scale distance
    top: float = 0.75  # × √metrics: how many metrics are averaged
    ridge: float = 0.3
    power: float = 3.0  # of the mean over the votes
    vote_top: float = 1.0
    vote_breadth: float = 0.5
    vote_memory: float = 0.5
    vote_worst: float = 0.0
    floor: float = 0.05
    smooth: float = 0.4
    instant: float = 0.3
    frozen: float = 4.5  # score above which learning stops
    thaw: float = 0.25
    bound: float = 7.0  # days until the long memory gives in
    anchor_days: float = 14.0
    anchor_growth: float = 1.25
    anchor_keep: float = 0.1
    raise_by: float = 0.5
    raise_most: float = 10.0
    recurrence: float = 0.0
    slow_wait: float = 0.04
    slow_span: float = 60.0  # rows
    hold: float = 0.7
    level: float = 1.7  # surprise a standard deviation from the anchor
    hold_days: float = 0.5
    single: float = 10.0  # surprise at which a single metric alarms by itself, and what
    single_growth: float = 1.6  # it needs more for each e-fold of metrics


LOW_A, WIDTH_A = -8.0, 16.0 / LEVELS  # arcsinh of the innovation in standard deviations
LOW_B, WIDTH_B = -4.0, 12.0 / LEVELS  # half the logarithm of the squared distance
LOW_V, WIDTH_V = -3.5, 11.0 / LEVELS  # logarithm of a vote's statistic
FAR = 50.0
CLIPPED = 20.0
SURPRISED = 25.0
MERGED = 5
PIECE = 60


@njit(cache=True)
def soft(z):  # type: ignore[no-untyped-def]
    """`z` up to about 2, logarithmic beyond: breadth counts more than size."""
    return 2 * np.log1p(0.5 * z) if z > 0 else -2 * np.log1p(-0.5 * z)


@njit(cache=True)
def invert(matrix, relative, absolute, result):  # type: ignore[no-untyped-def]
    """Inverse of a symmetric `matrix` with a ridge, by Cholesky."""
    n = matrix.shape[0]
    lower, inverse = np.zeros((n, n)), np.zeros((n, n))
    for i in range(n):
        for j in range(i + 1):
            s = matrix[i, j]
            if i == j:
                s += relative * matrix[i, i] + absolute
            for k in range(j):
                s -= lower[i, k] * lower[j, k]
            if i == j:
                lower[i, i] = np.sqrt(max(s, 1e-12))
            else:
                lower[i, j] = s / lower[j, j]
    for c in range(n):
        for i in range(c, n):
            s = 1.0 if i == c else 0.0
            for k in range(c, i):
                s -= lower[i, k] * inverse[k, c]
            inverse[i, c] = s / lower[i, i]
    for i in range(n):
        for j in range(i + 1):
            s = 0.0
            for k in range(i, n):
                s += inverse[k, i] * inverse[k, j]
            result[i, j] = s
            result[j, i] = s


@njit(cache=True)
def start_metric(m):  # type: ignore[no-untyped-def]
    """A metric of which nothing is known."""
    m[:] = 0.0
    m[ERROR_SD] = 1.0
    for k in range(LAGS):
        m[GAIN + k * LAGS + k] = 10.0
    logistic(m[HISTOGRAM_A : HISTOGRAM_A + LEVELS], LOW_A, WIDTH_A, 0.0, 0.35, 100.0)
    logistic(m[HISTOGRAM_B : HISTOGRAM_B + LEVELS], LOW_B, WIDTH_B, 1.0, 0.28, 100.0)
    m[TOTAL_A] = 100.0
    m[TOTAL_B] = 100.0
    refresh(m[HISTOGRAM_A : HISTOGRAM_A + LEVELS], 100.0, LOW_A, WIDTH_A, m[TAIL_A : TAIL_A + 4], 0.05)
    refresh(m[HISTOGRAM_B : HISTOGRAM_B + LEVELS], 100.0, LOW_B, WIDTH_B, m[TAIL_B : TAIL_B + 4], 0.05)


@njit(cache=True)
def start(state, metrics, period):  # type: ignore[no-untyped-def]
    """A service of which nothing is known; `period` is the rows of a day."""
    state[:] = 0.0
    state[RATE] = 1.0
    state[SLOW_RATE] = 1.0
    state[BIN] = -1.0
    state[ANCHOR_AT] = 64.0
    state[PERIOD] = period
    for k in range(VOTES):
        histogram = state[VOTE_HISTOGRAMS + k * LEVELS : VOTE_HISTOGRAMS + (k + 1) * LEVELS]
        tail = state[VOTE_TAILS + k * 5 : VOTE_TAILS + (k + 1) * 5]
        centre = 0.5 * np.log(metrics + 1.0) if k == 2 else 0.3
        logistic(histogram, LOW_V, WIDTH_V, centre, 0.3, 50.0)
        tail[4] = 50.0
        refresh(histogram, 50.0, LOW_V, WIDTH_V, tail[0:4], 0.05)
    for d in range(metrics):
        start_metric(state[METRICS + d * METRIC : METRICS + (d + 1) * METRIC])


@njit(cache=True)
def transformed(x, kind, least):  # type: ignore[no-untyped-def]
    """As `observatory.catalog.Metric.apply`."""
    if kind == 1:
        return np.log(max(x, 0.0) + least)
    if kind == 2:
        return np.sqrt(max(x, 0.0))
    return x


@njit(cache=True)
def restored(y, kind, least):  # type: ignore[no-untyped-def]
    """The inverse of `transformed`."""
    if kind == 1:
        return max(np.exp(min(y, 700.0)) - least, 0.0)
    if kind == 2:
        return max(y, 0.0) ** 2
    return y


@njit(cache=True)
def least_scale(mean, kind):  # type: ignore[no-untyped-def]
    """2 % of the metric's usual value, on the transformed scale: what a standard deviation is at least."""
    if kind == 1:
        return 0.02
    if kind == 2:
        return 0.01 * abs(mean) + 1e-9
    return 0.02 * abs(mean) + 1e-9


@njit(cache=True)
def judge_metric(m, raw, spec, quiet, place, share, left, right, rate, slow_rate, due, memory, period, o, f, out):  # type: ignore[no-untyped-def]
    """Evidence of one metric in one row, then learn it.

    Into `out`: evidence, the same if any direction counted, fast deviation likewise (two), soft deviation from
    the running slow mean, and from the anchored one (allowed or 0, and any).
    """
    kind, least_absolute, least_relative, direction = spec[0], spec[1], spec[2], spec[3]
    x = transformed(raw, kind, least_absolute)
    age = m[OWN_AGE]
    if age == 0:
        m[MEAN] = x
        m[SLOW_MEAN] = x
        m[ANCHOR_MEAN] = x
        m[FAST_MEAN] = x
    a = rate * max(1.0 / (age + 1), 1.0 / memory)
    # 1. scale
    scale = np.sqrt(m[VARIANCE]) + least_scale(m[MEAN], kind)
    away = x - m[MEAN]
    z = min(max(away / scale, -FAR), FAR)
    if age > 20:
        away = min(max(away, -CLIPPED * scale), CLIPPED * scale)
    profile = (1 - share) * m[PROFILE + left] + share * m[PROFILE + right]
    # what the catalogue says about deviations from typical
    allowed, known = True, direction != 0 or least_relative > 0
    if known:
        typical = restored(m[MEAN] + scale * profile, kind, least_absolute)
        size = raw - typical
        allowed = direction * size > 0 or direction == 0
        allowed = allowed and abs(size) >= max(least_absolute, least_relative * abs(typical))
    if quiet and spec[4] > 0:
        allowed = False
    m[MEAN] += a * away
    m[VARIANCE] = (1 - a) * (m[VARIANCE] + a * away * away)
    # 2. time of day
    m[BIN_SUM] += min(max(z, profile - 6), profile + 6)
    if age == 0:
        for k in range(LAG1, LAG3 + 1):
            m[k] = z
        for k in range(E3, EH + 1):
            m[k] = z
    # 3. one-step prediction by recursive least squares
    phi, gained = f[0:LAGS], f[LAGS : 2 * LAGS]
    phi[0] = 1.0
    phi[1] = m[LAG1]
    phi[2] = m[LAG2]
    phi[3] = m[LAG3]
    phi[4] = m[E15]
    phi[5] = m[E60]
    phi[6] = profile
    phi[7] = m[LAST_PROFILE]
    predicted, denominator, trace = 0.0, 0.0, 0.0
    for k in range(LAGS):
        predicted += m[WEIGHTS + k] * phi[k]
        s = 0.0
        for j in range(LAGS):
            s += m[GAIN + k * LAGS + j] * phi[j]
        gained[k] = s
        denominator += s * phi[k]
        trace += m[GAIN + k * LAGS + k]
    error, sd = z - predicted, m[ERROR_SD]
    innovation = np.arcsinh(error / (sd + 1e-6)) if age > 8 else 0.0
    if age > 20:
        error = min(max(error, -5 * sd), 5 * sd)
    gain = rate / (1.0 + denominator)
    forget = 1.0 - rate / memory if trace < 200 else 1.0
    for k in range(LAGS):
        m[WEIGHTS + k] += gain * gained[k] * error
        for j in range(LAGS):
            p = GAIN + k * LAGS + j
            m[p] = (m[p] - gain * gained[k] * gained[j]) / forget
    b = rate * max(0.0005, 1.0 / (age + 1))
    m[ERROR_SD] = np.sqrt((1 - b) * sd * sd + b * error * error)
    # 4. Mahalanobis distance over scales of time
    features, delta = f[16 : 16 + SCALES], f[32 : 32 + SCALES]
    m[ROUGHNESS] += 0.1 * (abs(z - m[LAG1]) - m[ROUGHNESS])
    m[E3] += 0.5 * (z - m[E3])
    m[E5] += (2.0 / 6) * (z - m[E5])
    m[E15] += (2.0 / 16) * (z - m[E15])
    m[E60] += (2.0 / 61) * (z - m[E60])
    m[EH] += 2.0 / max(period / 4, 60.0) * (z - m[EH])
    features[0] = z
    features[1] = m[LAG1]
    for k in range(5):
        features[2 + k] = m[E3 + k]
    features[7] = z - profile
    features[8] = np.log(m[ROUGHNESS] + 0.05)
    distance = 0.0
    for k in range(SCALES):
        delta[k] = features[k] - m[CENTRE + k]
    for k in range(SCALES):
        s = 0.0
        for j in range(SCALES):
            s += m[INVERSE + k * SCALES + j] * delta[j]
        distance += delta[k] * s
    shrink = 1.0 if distance <= 54 or age < 30 else np.sqrt(54.0 / distance)
    for k in range(SCALES):
        m[CENTRE + k] += a * shrink * delta[k]
    for k in range(SCALES):
        for j in range(k + 1):
            p = SPREAD + k * SCALES + j
            m[p] = (1 - a) * (m[p] + a * shrink * shrink * delta[k] * delta[j])
            m[SPREAD + j * SCALES + k] = m[p]
    if due:
        spread = m[SPREAD : SPREAD + SCALES * SCALES].reshape(SCALES, SCALES)
        invert(spread, 1e-3, 1e-5, m[INVERSE : INVERSE + SCALES * SCALES].reshape(SCALES, SCALES))
    # 5. surprise
    far = 0.5 * np.log(distance + 0.001)
    one, two = m[HISTOGRAM_A : HISTOGRAM_A + LEVELS], m[HISTOGRAM_B : HISTOGRAM_B + LEVELS]
    evidence = 0.0
    if age > 16:
        if age >= o.young:
            first = either(one, m[TOTAL_A], innovation, LOW_A, WIDTH_A, m[TAIL_A : TAIL_A + 4])
            second = upper(two, m[TOTAL_B], far, LOW_B, WIDTH_B, m[TAIL_B : TAIL_B + 4])
            evidence = o.fast_weight * min(first, SURPRISED) + o.scale_weight * min(second, SURPRISED)
            evidence /= o.fast_weight + o.scale_weight
        m[TOTAL_A] = learn(one, m[TOTAL_A], innovation, LOW_A, WIDTH_A, rate, memory)
        m[TOTAL_B] = learn(two, m[TOTAL_B], far, LOW_B, WIDTH_B, rate, memory)
    if due:
        refresh(one, m[TOTAL_A], LOW_A, WIDTH_A, m[TAIL_A : TAIL_A + 4], 0.05)
        refresh(two, m[TOTAL_B], LOW_B, WIDTH_B, m[TAIL_B : TAIL_B + 4], 0.05)
    # residual of a fast average, in its own units
    step = x - m[FAST_MEAN]
    usual = np.sqrt(m[FAST_VARIANCE]) + 0.1 * least_scale(m[FAST_MEAN], kind) + 1e-9
    jump = min(abs(step) / usual, FAR) if age > 8 else 0.0
    clipped = min(max(step, -5 * usual), 5 * usual) if age > 20 else step
    c = rate * max(0.0005, 1.0 / (age + 1))
    m[FAST_MEAN] += 0.3 * step
    m[FAST_VARIANCE] += c * (clipped * clipped - m[FAST_VARIANCE])
    # long memory
    c = slow_rate * max(1.0 / (age + 1), 1.0 / memory)
    slow = np.sqrt(m[SLOW_VARIANCE]) + least_scale(m[SLOW_MEAN], kind)
    away = x - m[SLOW_MEAN]
    softened = soft(away / slow)
    if age > 20:
        away = min(max(away, -CLIPPED * slow), CLIPPED * slow)
    m[SLOW_MEAN] += c * away
    m[SLOW_VARIANCE] = (1 - c) * (m[SLOW_VARIANCE] + c * away * away)
    out[4] = softened - m[SOFT_MEAN]
    m[SOFT_MEAN] += c * out[4]
    anchored = soft((x - m[ANCHOR_MEAN]) / m[ANCHOR_SD]) - m[ANCHOR_SOFT] if m[ANCHOR_SD] > 0 else 0.0
    out[1] = evidence
    if known:
        # far from its time of day twice in a row, or drifted away from its long memory, however slowly
        seasonal = abs(delta[7]) / np.sqrt(m[SPREAD + 7 * SCALES + 7] + 1e-5)
        far = max(min(seasonal, m[SEASONAL]), 0.5 * seasonal)
        m[SEASONAL] = seasonal
        if m[ANCHOR_SD] > 0:
            m[LEVEL] += 0.125 * (min(abs(x - m[ANCHOR_MEAN]) / m[ANCHOR_SD], FAR) - m[LEVEL])
            far = max(far, m[LEVEL])
        if age >= o.young:
            evidence = max(evidence, min(o.level * far, SURPRISED))
    out[0] = evidence if allowed else 0.0
    out[2] = jump if allowed else 0.0
    out[3] = jump
    out[5] = anchored if allowed else 0.0
    out[6] = anchored
    m[LAG3] = m[LAG2]
    m[LAG2] = m[LAG1]
    m[LAG1] = z
    m[LAST_PROFILE] = profile
    m[OWN_AGE] = age + 1


@njit(cache=True)
def top_mean(values, count, scratch):  # type: ignore[no-untyped-def]
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
def quadratic(matrix, vector):  # type: ignore[no-untyped-def]
    n, total = vector.shape[0], 0.0
    for d in range(n):
        s = 0.0
        for e in range(n):
            s += matrix[d, e] * vector[e]
        total += s * vector[d]
    return total


@njit(cache=True)
def judge(state, row, specs, traffic, clock, o, parts, votes, scratch):  # type: ignore[no-untyped-def]
    """Score of one row of one service; `parts` receives each metric's evidence."""
    metrics = row.shape[0]
    period, age = state[PERIOD], state[AGE]
    memory = max(o.memory * period, 2000.0)
    bins = int(min(BINS, period))
    rate, slow_rate = state[RATE], state[SLOW_RATE]
    place = clock * bins - 0.5
    left = int(np.floor(place))
    share = place - left
    left, right, now = left % bins, (left + 1) % bins, int(clock * bins) % bins
    last = int(state[BIN])
    moved = now != last
    if moved:
        if last >= 0 and state[IN_BIN] > 0:
            state[VISITS + last] += 1
        if now < last:
            state[DAY] = (state[DAY] + 1) % DAYS
        state[RECURRENCE + int(state[DAY]) * BINS + now] = 0.0
    n = int(age)
    due = n % 60 == 0 or (n < 240 and n % 8 == 0)
    quiet = traffic >= 0 and row[traffic] * 300.0 < 20.0
    any_parts, slow = scratch[0, :metrics], scratch[1, :metrics]
    near, any_near = scratch[2, :metrics], scratch[3, :metrics]
    f, out = scratch[4], scratch[5, :8]
    present, jumps, any_jumps = 0, 0.0, 0.0
    for d in range(metrics):
        m = state[METRICS + d * METRIC : METRICS + (d + 1) * METRIC]
        if moved:
            if last >= 0 and state[IN_BIN] > 0:
                b = rate * max(0.15, 1.0 / state[VISITS + last])
                m[PROFILE + last] += b * (m[BIN_SUM] / state[IN_BIN] - m[PROFILE + last])
            m[BIN_SUM] = 0.0
        parts[d] = 0.0
        any_parts[d] = 0.0
        slow[d] = 0.0
        near[d] = 0.0
        any_near[d] = 0.0
        if not np.isfinite(row[d]):
            continue
        present += 1
        judge_metric(m, row[d], specs[d], quiet, place, share, left, right, rate, slow_rate, due, memory, period, o, f, out)  # fmt: skip
        parts[d] = out[0]
        any_parts[d] = out[1]
        jumps += out[2]
        any_jumps += out[3]
        slow[d] = out[4]
        near[d] = out[5]
        any_near[d] = out[6]
    if moved:
        state[BIN] = now
        state[IN_BIN] = 0.0
    state[IN_BIN] += 1
    if present == 0:
        return 0.0
    # covariance of the long memory, and its anchor
    first = METRICS + metrics * METRIC
    covariance = state[first : first + metrics * metrics].reshape(metrics, metrics)
    inverse = state[first + metrics * metrics : first + 2 * metrics * metrics].reshape(metrics, metrics)
    remote, any_remote = quadratic(inverse, near), quadratic(inverse, any_near)
    c = slow_rate * max(1.0 / (age + 1), 1.0 / memory)
    for d in range(metrics):
        for e in range(d + 1):
            covariance[d, e] += c * (slow[d] * slow[e] - covariance[d, e])
            covariance[e, d] = covariance[d, e]
    if age >= state[ANCHOR_AT] and (state[RUN] == 0 or age >= state[ANCHOR_AT] + o.bound * period):
        invert(covariance, 0.0, o.ridge, inverse)
        for d in range(metrics):
            m = state[METRICS + d * METRIC : METRICS + (d + 1) * METRIC]
            m[ANCHOR_MEAN] = m[SLOW_MEAN]
            m[ANCHOR_SD] = np.sqrt(m[SLOW_VARIANCE]) + least_scale(m[SLOW_MEAN], specs[d, 0])
            m[ANCHOR_SOFT] = m[SOFT_MEAN]
        for j in range(LEVELS):
            state[VOTE_HISTOGRAMS + 2 * LEVELS + j] *= o.anchor_keep
        state[VOTE_TAILS + 2 * 5 + 4] *= o.anchor_keep
        state[ANCHOR_AT] = min(o.anchor_growth * age, age + o.anchor_days * period)
    # votes
    count = min(int(max(1.0, np.floor(o.top * np.sqrt(present) + 0.5))), metrics)
    fused, weights = 0.0, 0.0
    for k in range(VOTES):
        if k == 0:
            weight = o.vote_top
            seen, any_seen = top_mean(parts, count, f), top_mean(any_parts, count, f)
        elif k == 1:
            weight = o.vote_breadth
            seen, any_seen = jumps / present, any_jumps / present
        elif k == 2:
            weight = o.vote_memory
            seen, any_seen = np.sqrt(max(remote, 0.0)), np.sqrt(max(any_remote, 0.0))
        else:
            weight = o.vote_worst
            seen, any_seen = top_mean(parts, 1, f), top_mean(any_parts, 1, f)
        if weight == 0:
            continue
        seen, any_seen = np.log(min(seen, any_seen) + 0.05), np.log(any_seen + 0.05)
        histogram = state[VOTE_HISTOGRAMS + k * LEVELS : VOTE_HISTOGRAMS + (k + 1) * LEVELS]
        tail = state[VOTE_TAILS + k * 5 : VOTE_TAILS + (k + 1) * 5]
        votes[k] = 0.0
        if age >= o.young:
            votes[k] = min(upper(histogram, tail[4], seen, LOW_V, WIDTH_V, tail[0:4]), 30.0)
        if age >= 16:
            learned = slow_rate if k == 2 else rate
            tail[4] = learn(histogram, tail[4], any_seen, LOW_V, WIDTH_V, learned, memory)
        if due:
            refresh(histogram, tail[4], LOW_V, WIDTH_V, tail[0:4], o.floor)
        fused += weight * votes[k] ** o.power
        weights += weight
    fused = (fused / weights) ** (1.0 / o.power)
    worst = top_mean(parts, 1, f) - o.single_growth * np.log(present)
    fused = max(fused, o.line * worst / o.single)
    state[SMOOTH] += o.smooth * (fused - state[SMOOTH])
    score = o.instant * fused + (1 - o.instant) * state[SMOOTH]
    # a fault is not learned while it lasts, within bounds
    if score > o.frozen:
        state[STUCK] += 1
        state[RUN] += 1
        state[RATE] = min(1.0, 0.05 + (state[STUCK] / period) ** 2)
        state[SLOW_RATE] = 1.0
        if state[RUN] > o.slow_wait * period:
            state[SLOW_RATE] = min(1.0, 0.02 + (state[STUCK] / (o.bound * period)) ** 2)
    else:
        state[STUCK] = max(0.0, state[STUCK] - o.thaw)
        state[RUN] = 0.0
        state[RATE] = 1.0
        state[SLOW_RATE] = 1.0
    state[AGE] = age + 1
    return lined(state, score, count, o)


@njit(cache=True)
def lined(state, score, count, o):  # type: ignore[no-untyped-def]
    """`score` in alarm lines. Each alarm raises the line for a while, so that a noisy day is not a hundred alarms;
    what the raised line keeps down stays below 1, in order.
    """
    line = o.line + state[RAISED]
    if score >= line:
        state[LOUD] += 1
        if state[QUIET] > MERGED or state[LOUD] % PIECE == 0:
            state[RAISED] = min(state[RAISED] + o.raise_by, o.raise_most - o.line)
        state[QUIET] = 0.0
    else:
        state[QUIET] += 1
        state[LOUD] = 0.0
    state[RAISED] *= 1 - 1 / state[PERIOD]
    result = score / o.line
    if score < line and result > 0.9:
        result = 1 - 0.1 / (1 + 5 * (result - 0.9))
    # what lasts or has just been: the fewer metrics tell of it, the longer the time that is looked at
    state[SLOWLY] += 2.0 / (1.0 + max(1.0, o.slow_span / count**2)) * (score - state[SLOWLY])
    state[HELD] = max(state[HELD] * np.exp(-1.0 / max(o.hold_days * state[PERIOD] / count**2, 3.0)), score)
    lingering = max(state[SLOWLY], o.hold * state[HELD]) / o.line
    return max(result, min(lingering, 0.9))


@njit(cache=True)
def advance(states, owners, rows, specs, traffic, clocks, o, scores, parts, votes):  # type: ignore[no-untyped-def]
    """Judge row after row: `rows` (n, metrics) of the services `owners` (n,) of `states` (services, size).

    `clocks` (n,) are shares of the day passed; `scores` (n,), `parts` (n, metrics), `votes` (n, VOTES) are filled.
    """
    metrics = rows.shape[1]
    scratch = np.zeros((6, max(metrics, 64)))
    for i in range(rows.shape[0]):
        scores[i] = judge(states[owners[i]], rows[i], specs, traffic, clocks[i], o, parts[i], votes[i], scratch)  # fmt: skip
