// TLS 1.3 handshakes, one after the other on each of some threads: every connection asks for one
// answer, checks its status, and ends. Resumed ones take the ticket of the connection before; a
// handshake of the other kind than wanted counts as failed. Prints counts as JSON.
// Usage: handshakes PORT SECONDS THREADS full|resumed
#include "loopback.h"

#include <openssl/ssl.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

static int port, resumes;
static long long deadline;

struct worker {
    pthread_t thread;
    SSL_CTX *context;
    SSL_SESSION *ticket;
    long done, failed;
};

static int keep_ticket(SSL *tls, SSL_SESSION *ticket) {
    struct worker *worker = SSL_get_app_data(tls);
    SSL_SESSION_free(worker->ticket);
    worker->ticket = ticket;
    return 1;
}

static const char request[] = "GET / HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n";

// Reads to the end of the session; 1 when the answer was a whole 200.
static int ask(SSL *tls) {
    char answer[4096];
    size_t count = 0, got;
    if (SSL_write(tls, request, sizeof request - 1) <= 0) return 0;
    while (count < sizeof answer - 1
           && SSL_read_ex(tls, answer + count, sizeof answer - 1 - count, &got) == 1)
        count += got;
    answer[count] = 0;
    const char *body = strstr(answer, "\r\n\r\n");
    return body && strlen(body + 4) == 100 && strncmp(answer, "HTTP/1.1 200", 12) == 0;
}

// 1 for a handshake of the wanted kind with its answer. The first of a thread has no ticket.
static int shake_hands(struct worker *worker) {
    int is_first = !worker->ticket;
    int descriptor = checked(socket(AF_INET, SOCK_STREAM, 0), "socket");
    struct sockaddr_in address = loopback(port);
    checked(connect(descriptor, (struct sockaddr *)&address, sizeof address), "connect");
    send_at_once(descriptor);
    SSL *tls = SSL_new(worker->context);
    SSL_set_app_data(tls, worker);
    SSL_set_fd(tls, descriptor);
    SSL_set_tlsext_host_name(tls, "bench.example");
    if (resumes && worker->ticket) SSL_set_session(tls, worker->ticket);
    int is_right = SSL_connect(tls) == 1;
    is_right = is_right && (SSL_session_reused(tls) != 0) == (resumes && !is_first);
    is_right = is_right && ask(tls);
    SSL_shutdown(tls);
    SSL_free(tls);
    close(descriptor);
    return is_right;
}

static void *run(void *argument) {
    struct worker *worker = argument;
    while (nanoseconds() < deadline) {
        if (shake_hands(worker)) worker->done++;
        else worker->failed++;
    }
    return NULL;
}

static SSL_CTX *make_context(void) {
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
    SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256");
    SSL_CTX_set1_groups_list(context, "X25519");
    SSL_CTX_set_session_cache_mode(
        context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context, keep_ticket);
    return context;
}

int main(int argc, char **argv) {
    if (argc != 5) return 2;
    port = atoi(argv[1]);
    deadline = nanoseconds() + atoll(argv[2]) * 1000000000LL;
    resumes = strcmp(argv[4], "resumed") == 0;
    int count = atoi(argv[3]);
    struct worker *workers = calloc((size_t)count, sizeof *workers);
    for (int i = 0; i < count; i++) {
        workers[i].context = make_context();
        if (pthread_create(&workers[i].thread, NULL, run, &workers[i]) != 0) return 1;
    }
    long done = 0, failed = 0;
    for (int i = 0; i < count; i++) {
        pthread_join(workers[i].thread, NULL);
        done += workers[i].done;
        failed += workers[i].failed;
    }
    printf("{\"done\": %ld, \"failed\": %ld}\n", done, failed);
    return 0;
}
