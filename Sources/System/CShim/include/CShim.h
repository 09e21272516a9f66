// `penstock shim`: the parent of one replica. It outlives Penstock, owns the replica's output and
// writes down how it ended, because only a parent learns that. Single-threaded, and in C, because
// between fork and exec nothing else is safe. docs/replicas.md has the protocol.
#ifndef PENSTOCK_CSHIM_H
#define PENSTOCK_CSHIM_H

/// Where Penstock puts the two descriptors that a shim starts with: what to run, and the channel
/// for the first words.
enum { PENSTOCK_SHIM_SPEC = 3, PENSTOCK_SHIM_CHANNEL = 4 };

/// Runs one replica to its end. Returns the exit code of the shim: 0 when the end was recorded.
int penstock_shim(void);

#endif
