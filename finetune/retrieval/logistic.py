"""Logistic regression on named features: what the small models of the question maker are."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

Features = Mapping[str, float]


def fit(rows: Sequence[Features], right: Sequence[bool]) -> dict[str, Any]:
    """Return bias and weights with an L2 penalty on standardised features; a feature that lacks in a row is 0."""
    from scipy.optimize import minimize

    names = sorted({name for row in rows for name in row})
    x = np.array([[row.get(name, 0.0) for name in names] for row in rows])  # (n, features)
    sign = np.where(np.array(right, dtype=bool), 1.0, -1.0)
    middle, scale = x.mean(axis=0), x.std(axis=0) + 1e-6
    z = np.column_stack([np.ones(len(x)), (x - middle) / scale])

    def loss(w: Any) -> tuple[float, Any]:
        margin = sign * (z @ w)
        slope = -sign / (1 + np.exp(np.clip(margin, -500, 500)))
        penalised = np.concatenate([[0.0], w[1:]])
        return float(np.logaddexp(0, -margin).sum() + penalised @ penalised / 2), z.T @ slope + penalised

    found = minimize(loss, np.zeros(z.shape[1]), jac=True, method="L-BFGS-B").x
    weights = found[1:] / scale
    return {
        "bias": round(float(found[0] - weights @ middle), 5),
        "weights": {name: round(float(weight), 5) for name, weight in zip(names, weights, strict=True)},
    }


def chance_of(model: Mapping[str, Any], row: Features) -> float:
    """Return the probability that a model gives to a row of features."""
    score = float(model["bias"]) + sum(value * model["weights"].get(name, 0.0) for name, value in row.items())
    return 1 / (1 + math.exp(-score)) if score >= 0 else math.exp(score) / (1 + math.exp(score))
