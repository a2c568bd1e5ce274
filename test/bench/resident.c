/* Resident services for the benchmark of calls, with one thread per connection.
 *   resident echo PATH  returns its input
 *   resident sink PATH  prints a line at a connection's end: its bytes, and the seconds from the first to the last
 */
#include <err.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define BLOCK (1 << 17)

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void *echo(void *connection)
{
	int fd = (intptr_t)connection;
	char buffer[BLOCK];
	ssize_t got;

	while ((got = recv(fd, buffer, sizeof buffer, 0)) > 0)
		if (send(fd, buffer, got, MSG_NOSIGNAL) != got)
			break;
	close(fd);
	return NULL;
}

static void *sink(void *connection)
{
	int fd = (intptr_t)connection;
	double first = 0, last = 0, bytes = 0;
	char buffer[BLOCK];
	ssize_t got;

	while ((got = recv(fd, buffer, sizeof buffer, 0)) > 0) {
		last = now();
		if (bytes == 0)
			first = last;
		bytes += got;
	}
	printf("%.0f %.6f\n", bytes, last - first);
	fflush(stdout);
	close(fd);
	return NULL;
}

int main(int argc, char **argv)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int listener = socket(AF_UNIX, SOCK_STREAM, 0);
	void *(*serve)(void *);

	if (argc != 3 || (strcmp(argv[1], "echo") && strcmp(argv[1], "sink")))
		errx(64, "usage: resident echo|sink PATH");
	serve = strcmp(argv[1], "echo") == 0 ? echo : sink;
	if (strlen(argv[2]) >= sizeof at.sun_path)
		errx(64, "%s is too long", argv[2]);
	strcpy(at.sun_path, argv[2]);
	if (bind(listener, (void *)&at, sizeof at) || listen(listener, SOMAXCONN))
		err(1, "%s", argv[2]);
	for (;;) {
		int connection = accept(listener, NULL, NULL);
		pthread_t thread;

		if (connection < 0 || pthread_create(&thread, NULL, serve, (void *)(intptr_t)connection))
			err(1, "a connection");
		pthread_detach(thread);
	}
}
