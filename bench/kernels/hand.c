/*
 * Filter and group as one would write them by hand in C for these columns alone: the yardstick of `npm run bench:kernels`.
 *
 * What it may know and an engine may not: keys lie in a small range, nothing is null, all rows are in one window. It looks
 * at no timestamp. Rows that do not pass are added as zeros, as nobody foresees which they are.
 *
 *   hand ROWS KEYS
 *
 * Commands come as lines, each is answered by a line of JSON: `check` (what the answer comes to), `query` (the time it takes).
 */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

typedef struct {
  double total;
  int64_t rows;
} group;

static int64_t rows, keys;
static int32_t *key;
static double *value;
static group *groups;

static void *room(int64_t count, size_t bytes) {
  void *memory = malloc((size_t)count * bytes);
  if (memory == NULL) {
    fprintf(stderr, "no memory\n");
    exit(1);
  }
  return memset(memory, 0, (size_t)count * bytes);
}

/* The same columns as in rows.mjs. */
static uint32_t mixed(uint32_t number) {
  uint32_t bits = number * UINT32_C(2654435761);
  bits = (bits ^ (bits >> 16)) * UINT32_C(2246822519);
  bits = (bits ^ (bits >> 13)) * UINT32_C(3266489917);
  return bits ^ (bits >> 16);
}

static void fill_columns(void) {
  key = room(rows, sizeof *key);
  value = room(rows, sizeof *value);
  groups = room(keys, sizeof *groups);
  for (int64_t row = 0; row < rows; row++) {
    uint32_t bits = mixed((uint32_t)(row + 1));
    key[row] = (int32_t)(bits % (uint32_t)keys);
    value[row] = (double)(mixed(bits) >> 21) / 8 - 50;
  }
}

static void query(void) {
  memset(groups, 0, (size_t)keys * sizeof *groups);
  for (int64_t row = 0; row < rows; row++) {
    int64_t passes = value[row] > 0;
    group *each = &groups[key[row]];
    each->total += passes ? value[row] : 0;
    each->rows += passes;
  }
}

static void check(void) {
  int64_t count = 0, all = 0, keyed_rows = 0;
  double total = 0, keyed_total = 0;
  query();
  for (int64_t each = 0; each < keys; each++) {
    if (groups[each].rows == 0) continue;
    count += 1;
    all += groups[each].rows;
    total += groups[each].total;
    keyed_rows += each * groups[each].rows;
    keyed_total += (double)(each % 1009) * groups[each].total;
  }
  printf("{\"groups\":%" PRId64 ",\"rows\":%" PRId64 ",\"total\":%.17g,\"keyedRows\":%" PRId64 ",\"keyedTotal\":%.17g}\n",
         count, all, total, keyed_rows, keyed_total);
}

static double seconds(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double peak_mib(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
#ifdef __APPLE__
  return (double)usage.ru_maxrss / 1048576;
#else
  return (double)usage.ru_maxrss / 1024;
#endif
}

static void measure(void) {
  double start = seconds(CLOCK_MONOTONIC), cpu_start = seconds(CLOCK_PROCESS_CPUTIME_ID);
  query();
  double wall = seconds(CLOCK_MONOTONIC) - start, cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu_start;
  printf("{\"seconds\":%.9f,\"cpuSeconds\":%.9f,\"peakMiB\":%.1f}\n", wall, cpu, peak_mib());
}

int main(int count, char **values) {
  char line[64];
  if (count != 3) {
    fprintf(stderr, "give the numbers of rows and keys\n");
    return 1;
  }
  rows = atoll(values[1]);
  keys = atoll(values[2]);
  fill_columns();
  while (fgets(line, sizeof line, stdin) != NULL) {
    if (strncmp(line, "check", 5) == 0) check();
    else measure();
    fflush(stdout);
  }
  return 0;
}
