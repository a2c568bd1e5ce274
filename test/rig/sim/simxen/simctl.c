/* simctl create|destroy DOMID...: makes libxl's requests to the hypervisor, and sends XS_INTRODUCE. */
#define _GNU_SOURCE
#include "simxen.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <xenstore.h>

static int operation(const char *name)
{
    if (strcmp(name, "create") == 0)
        return OP_DOMAIN_CREATE;
    return strcmp(name, "destroy") == 0 ? OP_DOMAIN_DESTROY : -1;
}

static int ask(int hypervisor, uint32_t op, uint32_t domid)
{
    struct request request = {.op = op, .a = domid};
    struct reply reply;

    if (send(hypervisor, &request, offsetof(struct request, values), 0) < 0 ||
        recv(hypervisor, &reply, sizeof reply, 0) <= 0)
        return -EIO;
    return reply.result;
}

int main(int argc, char **argv)
{
    int op = argc > 2 ? operation(argv[1]) : -1;
    if (op < 0) {
        fprintf(stderr, "usage: simctl create|destroy DOMID...\n");
        return 64;
    }
    int hypervisor = rig_connect(rig_path("hv", 0), SOCK_SEQPACKET);
    struct xs_handle *store = op == OP_DOMAIN_CREATE ? xs_open(0) : NULL;
    for (int k = 2; k < argc; k++) {
        uint32_t domid = (uint32_t)atoi(argv[k]);
        int result = ask(hypervisor, (uint32_t)op, domid);
        if (result < 0) {
            fprintf(stderr, "simctl: %s %u: %s\n", argv[1], domid, strerror(-result));
            return EXIT_FAILURE;
        }
        if (op == OP_DOMAIN_CREATE && (store == NULL || !xs_introduce_domain(store, domid, 0, (uint32_t)result))) {
            fprintf(stderr, "simctl: XS_INTRODUCE %u: %s\n", domid, strerror(errno));
            return EXIT_FAILURE;
        }
    }
    return EXIT_SUCCESS;
}
