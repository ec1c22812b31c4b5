"""Baselines: what any algorithm has to beat."""
