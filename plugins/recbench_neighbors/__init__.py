"""Neighbourhood algorithms: users and items like each other."""
