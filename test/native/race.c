/* A library to preload. Its threads race, which proves that races are reported. */
#include <pthread.h>

static int shared;

static void *write_shared(void *value)
{
    for (int i = 0; i < 1000; i++)
        shared = *(int *)value;
    return value;
}

__attribute__((constructor)) static void race(void)
{
    int values[] = {1, 2};
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], 0, write_shared, &values[i]);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], 0);
}
