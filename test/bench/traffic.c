/* Traffic for the forwarding benchmark. Each command prints one line at its end.
 *   traffic sink PORT           receives one TCP stream; prints bits per second, from the first to the last byte
 *   traffic stream HOST PORT S  sends one TCP stream for S seconds
 *   traffic packets LINK S HEX  sends one frame again and again for S seconds; prints the exact seconds
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BATCH 64

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static int sink(const char *port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(atoi(port)) };
	static char buffer[1 << 20];
	double first, last, bytes = 0;
	ssize_t got;
	int one = 1, listener = socket(AF_INET, SOCK_STREAM, 0), stream;

	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (bind(listener, (void *)&at, sizeof at) || listen(listener, 1))
		err(1, "port %s", port);
	puts("listening");
	fflush(stdout);
	stream = accept(listener, NULL, NULL);
	first = last = now();
	/* With MSG_TRUNC the kernel drops received data, because the cost of copying is not measured. */
	while ((got = recv(stream, buffer, sizeof buffer, MSG_TRUNC)) > 0) {
		bytes += got;
		last = now();
	}
	if (got < 0)
		err(1, "recv");
	printf("%.0f\n", bytes * 8 / (last - first));
	return 0;
}

static int stream(const char *host, const char *port, double seconds)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(atoi(port)) };
	static char buffer[1 << 18];
	int out = socket(AF_INET, SOCK_STREAM, 0);
	double end;

	inet_pton(AF_INET, host, &to.sin_addr);
	if (connect(out, (void *)&to, sizeof to))
		err(1, "connect to %s", host);
	for (end = now() + seconds; now() < end;)
		if (send(out, buffer, sizeof buffer, 0) < 0)
			err(1, "send");
	return 0;
}

static int packets(const char *link, double seconds, const char *hex)
{
	struct sockaddr_ll on = { .sll_family = AF_PACKET, .sll_ifindex = if_nametoindex(link) };
	int one = 1, out = socket(AF_PACKET, SOCK_RAW, 0);
	struct mmsghdr batch[BATCH] = { 0 };
	unsigned char frame[1514];
	struct iovec part = { frame, strlen(hex) / 2 };
	double start;

	for (size_t i = 0; i < part.iov_len && i < sizeof frame; i++)
		sscanf(hex + 2 * i, "%2hhx", &frame[i]);
	if (setsockopt(out, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof one) || bind(out, (void *)&on, sizeof on))
		err(1, "%s", link);
	for (int i = 0; i < BATCH; i++) {
		batch[i].msg_hdr.msg_iov = &part;
		batch[i].msg_hdr.msg_iovlen = 1;
	}
	for (start = now(); now() < start + seconds;)
		if (sendmmsg(out, batch, BATCH, 0) < 0)
			err(1, "sendmmsg");
	printf("%.6f\n", now() - start);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "sink"))
		return sink(argv[2]);
	if (argc == 5 && !strcmp(argv[1], "stream"))
		return stream(argv[2], argv[3], atof(argv[4]));
	if (argc == 5 && !strcmp(argv[1], "packets"))
		return packets(argv[2], atof(argv[3]), argv[4]);
	errx(64, "usage: traffic sink|stream|packets ...");
}
