# The comparison of Penstock with its peers: one module a question, each answering with a Section
# of the report. `Benchmarks/run` asks them.
