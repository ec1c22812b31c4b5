"""A plugin-based benchmark suite for recommender systems."""
