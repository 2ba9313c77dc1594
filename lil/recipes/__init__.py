"""How the networks of each experiment are made: data, architecture, training. One module a set of networks."""
