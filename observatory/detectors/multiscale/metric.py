"""Evidence of one metric in one row: what it was expected to be, and how surprising it is that it was not."""

from __future__ import annotations

import numpy as np
from numba import njit

from observatory.detectors.multiscale import layout as at
from observatory.detectors.multiscale.options import CLIPPED, FAR, LOW_M, SURPRISED, WIDTH_M
from observatory.detectors.multiscale.tails import learn, logistic, refresh, upper


@njit(cache=True)
def soft(z):
    """`z` up to about 2, logarithmic beyond: breadth counts more than size."""
    return 2 * np.log1p(0.5 * z) if z > 0 else -2 * np.log1p(-0.5 * z)


@njit(cache=True)
def invert(matrix, relative, absolute, result):
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
def transformed(x, kind, least):
    """As `observatory.catalog.Metric.apply`."""
    if kind == 1:
        return np.log(max(x, 0.0) + least)
    if kind == 2:
        return np.sqrt(max(x, 0.0))
    return x


@njit(cache=True)
def restored(y, kind, least):
    """The inverse of `transformed`."""
    if kind == 1:
        return max(np.exp(min(y, 700.0)) - least, 0.0)
    if kind == 2:
        return max(y, 0.0) ** 2
    return y


@njit(cache=True)
def least_scale(mean, kind):
    """2 % of the metric's usual value, on the transformed scale: what a standard deviation is at least."""
    if kind == 1:
        return 0.02
    if kind == 2:
        return 0.01 * abs(mean) + 1e-9
    return 0.02 * abs(mean) + 1e-9


@njit(cache=True)
def start_metric(m):
    """A metric of which nothing is known."""
    m[:] = 0.0
    histogram = m[at.HISTOGRAM : at.HISTOGRAM + at.LEVELS]
    logistic(histogram, LOW_M, WIDTH_M, 1.0, 0.28, 100.0)
    m[at.TOTAL] = 100.0
    refresh(histogram, 100.0, LOW_M, WIDTH_M, m[at.TAIL : at.TAIL + 3])


@njit(cache=True)
def judge_metric(m, raw, spec, quiet, when, rate, slow_rate, memory, period, o, f, out):
    """Evidence of one metric in one row, then learn it.

    Into `out`: evidence, the same if any direction counted, fast deviation likewise (two), soft deviation from
    the running slow mean, and from the anchored one (allowed or 0, and any).
    """
    share, left, right, visited, due = when
    kind = spec[0]
    x = transformed(raw, kind, spec[1])
    age = m[at.OWN_AGE]
    if age == 0:
        begin_at(m, x)
    a = rate * max(1.0 / (age + 1), 1.0 / memory)
    scale = np.sqrt(m[at.VARIANCE]) + least_scale(m[at.MEAN], kind)
    away = x - m[at.MEAN]
    z = min(max(away / scale, -FAR), FAR)
    profile = (1 - share) * m[at.PROFILE + left] + share * m[at.PROFILE + right]
    known = spec[3] != 0 or spec[2] > 0
    allowed = not (quiet and spec[4] > 0) and (not known or counts(m, raw, spec, scale, profile))
    learn_level(m, away, scale, age, a)
    # the first values are measured by an unsure scale
    m[at.BIN_SUM] += min(max(z, profile - 6), profile + 6) if age >= 20 else profile
    features, delta = f[: at.SCALES], f[16 : 16 + at.SCALES]
    describe(m, z, profile, age, period, features)
    distance = distance_from_usual(m, features, delta)
    learn_usual(m, delta, distance, age, a, due)
    surprised = surprise(m, 0.5 * np.log(distance + 0.001), age, rate, memory, due, o)
    jumped = jump(m, x, kind, age, rate)
    out[4] = drift(m, x, kind, age, slow_rate * max(1.0 / (age + 1), 1.0 / memory))
    anchored = soft((x - m[at.ANCHOR_MEAN]) / m[at.ANCHOR_SD]) - m[at.ANCHOR_SOFT] if m[at.ANCHOR_SD] > 0 else 0.0
    evidence = surprised
    if known:
        far = off_season(m, abs(z - profile), visited, rate, period, o)
        if m[at.ANCHOR_SD] > 0:
            far = max(far, off_level(m, x))
        if age >= o.young:
            gone = spec[3] < 0 and raw <= 0  # no traffic, no pods
            evidence = max(evidence, min(o.level * far * (o.gone if gone else 1.0), SURPRISED))
    out[0] = evidence if allowed else 0.0
    out[1] = surprised
    out[2] = jumped if allowed else 0.0
    out[3] = jumped
    out[5] = anchored if allowed else 0.0
    out[6] = anchored
    m[at.LAG] = z
    m[at.OWN_AGE] = age + 1


@njit(cache=True, inline="always")
def begin_at(m, x):
    """The first value of a metric is all that is known of it."""
    m[at.MEAN] = x
    m[at.SLOW_MEAN] = x
    m[at.ANCHOR_MEAN] = x
    m[at.FAST_MEAN] = x


@njit(cache=True, inline="always")
def counts(m, raw, spec, scale, profile):
    """Whether the catalogue lets a value differ in this direction and by so much from what is typical."""
    kind, least_absolute, least_relative, direction = spec[0], spec[1], spec[2], spec[3]
    typical = restored(m[at.MEAN] + scale * profile, kind, least_absolute)
    size = raw - typical
    is_directed = direction * size > 0 or direction == 0
    return is_directed and abs(size) >= max(least_absolute, least_relative * abs(typical))


@njit(cache=True, inline="always")
def learn_level(m, away, scale, age, a):
    """Mean and variance."""
    if age > 20:
        away = min(max(away, -CLIPPED * scale), CLIPPED * scale)
    m[at.MEAN] += a * away
    m[at.VARIANCE] = (1 - a) * (m[at.VARIANCE] + a * away * away)


@njit(cache=True, inline="always")
def describe(m, z, profile, age, period, features):
    """The value on several scales of time: now, before, on average, against its time of day, and how rough it is."""
    if age == 0:
        m[at.LAG] = z
        for k in range(at.E3, at.EH + 1):
            m[k] = z
    m[at.ROUGHNESS] += 0.1 * (abs(z - m[at.LAG]) - m[at.ROUGHNESS])
    m[at.E3] += 0.5 * (z - m[at.E3])
    m[at.E5] += (2.0 / 6) * (z - m[at.E5])
    m[at.E15] += (2.0 / 16) * (z - m[at.E15])
    m[at.E60] += (2.0 / 61) * (z - m[at.E60])
    m[at.EH] += 2.0 / max(period / 4, 60.0) * (z - m[at.EH])
    features[0] = z
    features[1] = m[at.LAG]
    for k in range(5):
        features[2 + k] = m[at.E3 + k]
    features[7] = z - profile
    features[8] = np.log(m[at.ROUGHNESS] + 0.05)


@njit(cache=True, inline="always")
def distance_from_usual(m, features, delta):
    """Mahalanobis distance, squared; `delta` receives the deviations."""
    distance = 0.0
    for k in range(at.SCALES):
        delta[k] = features[k] - m[at.CENTRE + k]
    for k in range(at.SCALES):
        s = 0.0
        for j in range(at.SCALES):
            s += m[at.INVERSE + k * at.SCALES + j] * delta[j]
        distance += delta[k] * s
    return distance


@njit(cache=True, inline="always")
def learn_usual(m, delta, distance, age, a, due):
    """Centre and spread of the features; what is far away is moved nearer first."""
    shrink = 1.0 if distance <= 54 or age < 30 else np.sqrt(54.0 / distance)
    for k in range(at.SCALES):
        m[at.CENTRE + k] += a * shrink * delta[k]
    for k in range(at.SCALES):
        for j in range(k + 1):
            p = at.SPREAD + k * at.SCALES + j
            m[p] = (1 - a) * (m[p] + a * shrink * shrink * delta[k] * delta[j])
            m[at.SPREAD + j * at.SCALES + k] = m[p]
    if due:
        spread = m[at.SPREAD : at.SPREAD + at.SCALES * at.SCALES].reshape(at.SCALES, at.SCALES)
        invert(spread, 1e-3, 1e-5, m[at.INVERSE : at.INVERSE + at.SCALES * at.SCALES].reshape(at.SCALES, at.SCALES))


@njit(cache=True, inline="always")
def surprise(m, far, age, rate, memory, due, o):
    """How rarely a distance was as large, as surprise; 0 while the metric is young."""
    histogram, tail = m[at.HISTOGRAM : at.HISTOGRAM + at.LEVELS], m[at.TAIL : at.TAIL + 3]
    found = 0.0
    if age > 16:
        if age >= o.young:
            found = min(upper(histogram, m[at.TOTAL], far, LOW_M, WIDTH_M, tail), SURPRISED)
        m[at.TOTAL] = learn(histogram, m[at.TOTAL], far, LOW_M, WIDTH_M, rate, min(memory, max(o.first, o.share * age)))
    if due:
        refresh(histogram, m[at.TOTAL], LOW_M, WIDTH_M, tail)
    return found


@njit(cache=True, inline="always")
def jump(m, x, kind, age, rate):
    """Residual of a fast average, in its own units."""
    step = x - m[at.FAST_MEAN]
    usual = np.sqrt(m[at.FAST_VARIANCE]) + 0.1 * least_scale(m[at.FAST_MEAN], kind) + 1e-9
    found = min(abs(step) / usual, FAR) if age > 8 else 0.0
    clipped = min(max(step, -5 * usual), 5 * usual) if age > 20 else step
    c = rate * max(0.0005, 1.0 / (age + 1))
    m[at.FAST_MEAN] += 0.3 * step
    m[at.FAST_VARIANCE] += c * (clipped * clipped - m[at.FAST_VARIANCE])
    return found


@njit(cache=True, inline="always")
def drift(m, x, kind, age, c):
    """Soft deviation from the long memory, against what it usually is."""
    slow = np.sqrt(m[at.SLOW_VARIANCE]) + least_scale(m[at.SLOW_MEAN], kind)
    away = x - m[at.SLOW_MEAN]
    softened = soft(away / slow)
    if age > 20:
        away = min(max(away, -CLIPPED * slow), CLIPPED * slow)
    m[at.SLOW_MEAN] += c * away
    m[at.SLOW_VARIANCE] = (1 - c) * (m[at.SLOW_VARIANCE] + c * away * away)
    found = softened - m[at.SOFT_MEAN]
    m[at.SOFT_MEAN] += c * found
    return found


@njit(cache=True, inline="always")
def off_season(m, away, visited, rate, period, o):
    """How far from its time of day, twice in a row."""
    seasonal = 0.0
    if visited:
        usual = np.sqrt(m[at.SEASONAL_VARIANCE]) + 0.05
        seasonal = away / usual if m[at.SEASONAL_AGE] >= o.young else 0.0
        clipped = min(away, 5 * usual) if m[at.SEASONAL_AGE] > 20 else away
        c = rate * max(1.0 / (m[at.SEASONAL_AGE] + 1), 0.5 / period)
        m[at.SEASONAL_VARIANCE] += c * (clipped * clipped - m[at.SEASONAL_VARIANCE])
        m[at.SEASONAL_AGE] += 1
    found = max(min(seasonal, m[at.SEASONAL]), 0.5 * seasonal)
    m[at.SEASONAL] = seasonal
    return found


@njit(cache=True, inline="always")
def off_level(m, x):
    """How far from the anchored long memory on average lately: also what drifts away ever so slowly."""
    m[at.LEVEL] += 0.125 * (min(abs(x - m[at.ANCHOR_MEAN]) / m[at.ANCHOR_SD], FAR) - m[at.LEVEL])
    return m[at.LEVEL]
