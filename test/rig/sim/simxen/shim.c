/* This process's connection to simxend, made at the first request and again in a forked child. */
#define _GNU_SOURCE
#include "shim.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct port_table *shim_ports;
int shim_memory = -1;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int hypervisor = -1;
static pid_t connected_as;

static bool exchange(const struct request *request, struct reply *reply)
{
    size_t length = offsetof(struct request, values) + request->count * sizeof request->values[0];

    return send(hypervisor, request, length, MSG_NOSIGNAL) > 0 && recv(hypervisor, reply, sizeof *reply, 0) > 0;
}

static bool connected(void)
{
    const char *domid = getenv("SIMXEN_DOMID");
    struct request hello = {.op = OP_HELLO, .a = domid == NULL ? 0 : (uint32_t)atoi(domid)};
    struct reply reply;

    if (hypervisor >= 0 && connected_as == getpid())
        return true;
    if (shim_ports == NULL)
        shim_ports = rig_map("tab", sizeof *shim_ports);
    if (shim_memory < 0)
        shim_memory = open(rig_path("mem", 0), O_RDWR | O_CLOEXEC);
    hypervisor = rig_connect(rig_path("hv", 0), SOCK_SEQPACKET);
    connected_as = getpid();
    if (shim_ports != NULL && shim_memory >= 0 && hypervisor >= 0 && exchange(&hello, &reply))
        return true;
    fprintf(stderr, "simxen: cannot reach %s: %m\n", rig_path("hv", 0));
    return false;
}

int shim_request(const struct request *request, struct reply *reply)
{
    pthread_mutex_lock(&lock);
    bool reachable = connected();
    bool answered = reachable && exchange(request, reply);
    pthread_mutex_unlock(&lock);

    if (!answered) {
        errno = reachable ? EIO : ENODEV;
        return -1;
    }
    if (reply->result < 0) {
        errno = -reply->result;
        return -1;
    }
    return reply->result;
}

int shim_call(uint32_t op, uint32_t a, uint32_t b, uint32_t c)
{
    struct request request = {.op = op, .a = a, .b = b, .c = c};
    struct reply reply;

    return shim_request(&request, &reply);
}
