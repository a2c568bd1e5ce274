/*
 * A peer that uses libxenvchan, honest or hostile.
 * Usage: peer server|client <domid> <path> <action> [<left> <right>]
 * Prints "ready" when a server accepts connections or a client is connected, or "refused".
 */
#include <libxenvchan.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct libxenvchan *vchan;

/* Sends back all data until the other end closes. */
static void echo(void)
{
    static char bytes[1 << 16];
    int length;

    while ((length = libxenvchan_read(vchan, bytes, sizeof bytes)) > 0)
        libxenvchan_write(vchan, bytes, length);
}

/* Sends events until the other end writes something. */
static void storm(void)
{
    while (libxenvchan_data_ready(vchan) == 0)
        xenevtchn_notify(vchan->event, vchan->event_port);
}

static void commit(const char *action)
{
    if (strcmp(action, "produce too much") == 0)
        vchan->write.shr->prod += (1u << vchan->write.order) + 1;
    else if (strcmp(action, "produce backwards") == 0)
        vchan->write.shr->prod -= 1;
    else if (strcmp(action, "consume too much") == 0)
        vchan->read.shr->cons += 1000;
    else if (strcmp(action, "consume backwards") == 0)
        vchan->read.shr->cons -= (1u << vchan->read.order) + 1;
    else if (strcmp(action, "storm") == 0)
        storm();
    else
        exit(64);
    xenevtchn_notify(vchan->event, vchan->event_port);
}

int main(int argc, char **argv)
{
    if (argc < 5)
        return 64;
    const char *action = argv[4];
    if (strcmp(argv[1], "server") == 0)
        vchan = libxenvchan_server_init(NULL, atoi(argv[2]), argv[3], argc > 5 ? atoi(argv[5]) : 65536,
                                        argc > 6 ? atoi(argv[6]) : 65536);
    else
        vchan = libxenvchan_client_init(NULL, atoi(argv[2]), argv[3]);
    if (vchan == NULL) {
        puts("refused");
        return 1;
    }
    vchan->blocking = 1;
    if (strncmp(action, "orders ", 7) == 0)
        sscanf(action, "orders %hu %hu", &vchan->ring->left_order, &vchan->ring->right_order);
    puts("ready");
    fflush(stdout);
    if (strcmp(action, "echo") == 0) {
        echo();
    } else {
        while (libxenvchan_is_open(vchan) == 2)
            libxenvchan_wait(vchan);
        if (strncmp(action, "orders ", 7) != 0)
            commit(action);
        echo();
    }
    libxenvchan_close(vchan);
    return 0;
}
