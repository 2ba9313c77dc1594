"""The wheel takes the records along: results/ becomes lil/_records. All else stands in pyproject.toml."""

from setuptools import find_packages, setup

setup(packages=[*find_packages(include=["lil", "lil.*"]), "lil._records"], package_dir={"lil._records": "results"})
