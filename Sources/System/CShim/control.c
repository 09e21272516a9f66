// A socket in the replica's folder, for its owner only: one line asks, one answer, and it closes.
// `hello` proves who this is, `status` tells what the status file tells, `stop NONCE MILLISECONDS`
// and `kill NONCE` end the replica. The nonce keeps an order from reaching a successor.
#define _GNU_SOURCE
#include "shim.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

int shim_control_open(void) {
    // Relative to the folder: there is no limit to how deep it lies.
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "control"};
    int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return -errno;
    unlink("control");
    mode_t before = umask(0177);
    int bound = bind(descriptor, (struct sockaddr *)&address, sizeof address);
    int error = errno;
    umask(before);
    if (bound == 0 && listen(descriptor, SHIM_CLIENTS * 4) == 0) return descriptor;
    if (bound == 0) error = errno;
    close(descriptor);
    return -error;
}

static int is_trusted(int descriptor) {
    struct ucred peer;
    socklen_t size = sizeof peer;
    if (getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0) return 0;
    return peer.uid == geteuid() || peer.uid == 0;
}

void shim_control_accept(struct shim *shim) {
    struct shim_client *client = shim->clients;
    while (client < shim->clients + SHIM_CLIENTS && client->descriptor >= 0) client++;
    if (client == shim->clients + SHIM_CLIENTS) return;
    int descriptor = accept4(shim->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (descriptor < 0) return;
    if (!is_trusted(descriptor)) {
        close(descriptor);
        return;
    }
    *client = (struct shim_client){.descriptor = descriptor,
                                   .deadline = shim_now() + SHIM_CLIENT_MILLISECONDS};
}

void shim_client_close(struct shim_client *client) {
    close(client->descriptor);
    client->descriptor = -1;
}

/// The rest of the request after `verb NONCE`; NULL when it is another verb.
static const char *order(const struct shim *shim, const char *request, const char *verb,
                         int *is_ours) {
    size_t length = strlen(verb), nonce = strlen(shim->nonce);
    if (strncmp(request, verb, length) != 0 || request[length] != ' ') return NULL;
    const char *rest = request + length + 1;
    *is_ours = strncmp(rest, shim->nonce, nonce) == 0 && (rest[nonce] == ' ' || !rest[nonce]);
    return *is_ours ? rest + nonce : rest;
}

static size_t answer(struct shim *shim, const char *request, char *text, size_t size) {
    int is_ours = 0;
    const char *rest;
    if (strcmp(request, "hello") == 0)
        return (size_t)snprintf(text, size, "penstock-shim 1 %s\n", shim->nonce);
    if (strcmp(request, "status") == 0) return shim_status_text(shim, text, size);
    if ((rest = order(shim, request, "stop", &is_ours))) {
        if (is_ours) shim_stop(shim, "stop", strtoll(rest, NULL, 10));
    } else if ((rest = order(shim, request, "kill", &is_ours))) {
        if (is_ours) shim_stop(shim, "kill", 0);
    } else {
        return (size_t)snprintf(text, size, "unknown\n");
    }
    return (size_t)snprintf(text, size, is_ours ? "ok\n" : "refused\n");
}

void shim_control_serve(struct shim *shim, struct shim_client *client) {
    size_t space = sizeof client->request - 1 - client->length;
    ssize_t got = read(client->descriptor, client->request + client->length, space);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) return shim_client_close(client);
    client->length += (size_t)got;
    client->request[client->length] = 0;
    char *newline = strchr(client->request, '\n');
    if (!newline) {
        if ((size_t)got == space) shim_client_close(client);
        return;
    }
    *newline = 0;
    char text[SHIM_SLOT_BYTES];
    size_t length = answer(shim, client->request, text, sizeof text);
    // Small, to a fresh socket: it fits, or the client is not worth waiting for.
    send(client->descriptor, text, length, MSG_NOSIGNAL);
    shim_client_close(client);
}
