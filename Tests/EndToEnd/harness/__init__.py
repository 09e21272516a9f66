# The harness of the end-to-end stories: a gateway, scripted origins, raw clients, and the one place
# that waits. Standard library only, so that the core stories need nothing but pytest.
