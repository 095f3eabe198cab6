/* The lower bound for the locks: a bare robust mutex in shared memory. `bare_mutex lock` prints the nanoseconds of one
   lock and unlock without contention, `bare_mutex value` those of one locked addition, with four processes at once. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ALONE = 1000000, TOGETHER = 200000, PROCESSES = 4 };

struct shared {
    pthread_mutex_t mutex;
    long counter;
    volatile int start;
};

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1e9 + time.tv_nsec;
}

static void alone(struct shared *shared) {
    for (int round = 0; round < 4; round++) {
        double start = now();
        for (long i = 0; i < ALONE; i++) {
            pthread_mutex_lock(&shared->mutex);
            pthread_mutex_unlock(&shared->mutex);
        }
        if (round > 0)
            printf("%f\n", (now() - start) / ALONE);
    }
}

static int together(struct shared *shared) {
    for (int i = 0; i < PROCESSES; i++)
        if (fork() == 0) {
            while (!shared->start)
                usleep(50);
            for (long j = 0; j < TOGETHER; j++) {
                pthread_mutex_lock(&shared->mutex);
                shared->counter++;
                pthread_mutex_unlock(&shared->mutex);
            }
            _exit(0);
        }
    usleep(20000);
    double start = now();
    shared->start = 1;
    while (wait(0) > 0)
        ;
    printf("%f\n", (now() - start) / ((double)TOGETHER * PROCESSES));
    return shared->counter != (long)TOGETHER * PROCESSES;
}

int main(int argc, char **argv) {
    struct shared *shared =
        mmap(0, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (argc != 2 || shared == MAP_FAILED)
        return 2;
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&shared->mutex, &attributes);
    if (strcmp(argv[1], "lock") == 0) {
        alone(shared);
        return 0;
    }
    return strcmp(argv[1], "value") == 0 ? together(shared) : 2;
}
