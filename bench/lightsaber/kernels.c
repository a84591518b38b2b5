/*
 * The queries as one would write them by hand in C, each for itself: the yardstick of `npm run bench:lightsaber`.
 *
 * Input is the same ring of columns as the engine's, of the same widths. Results are columns, too: keys, the window's
 * start and end, aggregates. Windows are incremental: what enters is added, what leaves is subtracted. What a hand-written
 * kernel may do and an engine may not: rows are in order of time, no value is null, no sum overflows, keys lie in the
 * range that the data has, and nobody asks for the state.
 *
 *   kernels QUERY CYCLE_FILE CYCLE_ROWS PERIOD_MICROS START_MICROS RING_ROWS
 *
 * The cycle file has the query's columns one after the other, event time first. Commands come as lines, each is answered
 * by a line of JSON: `run TUPLES`, `runFor MILLISECONDS`, `read` (the memory's bandwidth), `check TUPLES FILE` (the
 * result rows as text; as the first and only command).
 */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define SECOND INT64_C(1000000)
#define ALWAYS_INLINE static inline __attribute__((always_inline))

typedef double double4 __attribute__((vector_size(32), aligned(8)));
typedef int64_t long4 __attribute__((vector_size(32), aligned(8)));
typedef int32_t int8v __attribute__((vector_size(32), aligned(4)));
typedef int64_t long2 __attribute__((vector_size(16)));

static void fail(const char *what) {
  fprintf(stderr, "%s\n", what);
  exit(1);
}

static void *zeroed(int64_t count, size_t bytes) {
  void *memory = aligned_alloc(64, ((size_t)count * bytes + 63) / 64 * 64);
  if (memory == NULL) fail("no memory");
  return memset(memory, 0, ((size_t)count * bytes + 63) / 64 * 64);
}

/* ---- The ring: `cycles` copies of the data, one after the other in time ---- */

#define MAX_COLUMNS 8

static int64_t ring_rows, cycle_rows, period, cursor;
static int64_t *at;
static void *column[MAX_COLUMNS];

#define INTS(index) ((const int32_t *)column[index])
#define LONGS(index) ((const int64_t *)column[index])
#define DOUBLES(index) ((const double *)column[index])

static void fill_ring(FILE *file, const char *widths, int64_t start) {
  for (int index = 0; widths[index] != 0; index++) {
    size_t width = (size_t)(widths[index] - '0');
    char *values = zeroed(ring_rows, width);
    size_t cycle_bytes = (size_t)cycle_rows * width;
    if (fread(values, 1, cycle_bytes, file) != cycle_bytes) fail("the cycle file is too short");
    for (int64_t row = cycle_rows; row < ring_rows; row += cycle_rows) memcpy(values + (size_t)row * width, values, cycle_bytes);
    column[index] = values;
  }
  at = column[0];
  for (int64_t row = 0; row < ring_rows; row++) at[row] += start + row / cycle_rows * period;
}

/* The next time round all rows are later. This happens while the clock stands. */
static void shift_ring(void) {
  int64_t span = ring_rows / cycle_rows * period;
  for (int64_t row = 0; row < ring_rows; row++) at[row] += span;
}

/* ---- Results: columns of 8,192 rows, summed when they are full ---- */

#define OUT_ROWS 8192

enum type { INT, LONG, DOUBLE };

typedef struct {
  enum type type;
  void *values;
  uint64_t whole_sum;
  double double_sum;
} result_column;

static int32_t out_int[4][OUT_ROWS];
static int64_t out_long[2][OUT_ROWS], out_start[OUT_ROWS], out_end[OUT_ROWS];
static double out_double[3][OUT_ROWS];
static result_column results[8];
static int result_columns;
static int64_t out_rows, result_rows;
static FILE *rows_file;

static void has_column(enum type type, void *values) {
  results[result_columns++] = (result_column){type, values, 0, 0};
}

static double sum_doubles(const double *values, int64_t count) {
  double4 sums[4] = {{0}, {0}, {0}, {0}};
  int64_t row = 0;
  for (; row + 16 <= count; row += 16)
    for (int part = 0; part < 4; part++) sums[part] += *(const double4 *)(values + row + part * 4);
  double4 four = (sums[0] + sums[1]) + (sums[2] + sums[3]);
  double sum = (four[0] + four[1]) + (four[2] + four[3]);
  for (; row < count; row++) sum += values[row];
  return sum;
}

static void write_rows(void) {
  for (int64_t row = 0; row < out_rows; row++) {
    for (int index = 0; index < result_columns; index++) {
      if (index > 0) fputc(' ', rows_file);
      void *values = results[index].values;
      if (results[index].type == INT) fprintf(rows_file, "%" PRId32, ((int32_t *)values)[row]);
      else if (results[index].type == LONG) fprintf(rows_file, "%" PRId64, ((int64_t *)values)[row]);
      else fprintf(rows_file, "%.17g", ((double *)values)[row]);
    }
    fputc('\n', rows_file);
  }
}

static void flush(void) {
  if (rows_file != NULL) write_rows();
  for (int index = 0; index < result_columns; index++) {
    result_column *result = &results[index];
    uint64_t sum = 0;
    if (result->type == INT) {
      const uint32_t *values = result->values;
      uint32_t half = 0;
      for (int64_t row = 0; row < out_rows; row++) half += values[row];
      sum = half;
    } else if (result->type == LONG) {
      const int64_t *values = result->values;
      for (int64_t row = 0; row < out_rows; row++) sum += (uint64_t)values[row];
    } else result->double_sum += sum_doubles(result->values, out_rows);
    result->whole_sum = result->type == INT ? (uint32_t)(result->whole_sum + sum) : result->whole_sum + sum;
  }
  result_rows += out_rows;
  out_rows = 0;
}

/* ---- Windows ---- */

/* The window that fires next ends where the open slice does. */
static int64_t size, slide, slices, slice_end;
/* The slot of the open slice in rings of `slices` slots; the one behind it holds the oldest slice of the window. */
static int64_t slot;

static void has_window(int64_t size_units, int64_t slide_units) {
  size = size_units * SECOND;
  slide = slide_units * SECOND;
  slices = size_units / slide_units;
  slice_end = at[0] / slide * slide + slide;
}

static int64_t oldest_slot(void) { return slot + 1 == slices ? 0 : slot + 1; }

/* A result row of the window that fires. */
ALWAYS_INLINE int64_t new_row(void) {
  if (out_rows == OUT_ROWS) flush();
  out_start[out_rows] = slice_end - size;
  out_end[out_rows] = slice_end;
  return out_rows++;
}

/* Room for some of `count` result rows of the window that fires: gives how many, at `out_rows`. */
ALWAYS_INLINE int64_t new_rows(int64_t count) {
  if (out_rows == OUT_ROWS) flush();
  int64_t room = OUT_ROWS - out_rows;
  int64_t given = count < room ? count : room;
  for (int64_t row = out_rows; row < out_rows + given; row++) {
    out_start[row] = slice_end - size;
    out_end[row] = slice_end;
  }
  return given;
}

/* The first row that is not in the open slice. Rows are in order, so the last of eight speaks for all. */
ALWAYS_INLINE int64_t end_of_slice(int64_t from, int64_t to) {
  int64_t row = from;
  while (row + 8 <= to && at[row + 7] < slice_end) row += 8;
  if (row + 8 > to) {
    while (row < to && at[row] < slice_end) row++;
    return row;
  }
  int64_t inside = 0;
  for (int64_t each = 0; each < 8; each++) inside += at[row + each] < slice_end;
  return row + inside;
}

/* Adds rows slice by slice, and closes a slice when a row behind it has come. */
ALWAYS_INLINE void by_slices(int64_t from, int64_t to, void (*add)(int64_t, int64_t), void (*close)(void)) {
  while (from < to) {
    int64_t until = end_of_slice(from, to);
    add(from, until);
    from = until;
    if (from == to) return;
    for (; at[from] >= slice_end; slice_end += slide) {
      close();
      slot = oldest_slot();
    }
  }
}

/* ---- Where slices have few tuples: a queue of the window's tuples, which leave one by one ---- */

#define QUEUE (INT64_C(1) << 20)

static int32_t *queue_id;
static double *queue_value;
static int64_t queue_head, queue_tail;
static int32_t *slice_tuples;

static void has_queue(void) {
  queue_id = zeroed(QUEUE, sizeof *queue_id);
  queue_value = zeroed(QUEUE, sizeof *queue_value);
  slice_tuples = zeroed(slices, sizeof *slice_tuples);
}

/* ---- Keys: ids by open addressing ---- */

#define TABLE_BITS 16
#define TABLE (1 << TABLE_BITS)

static uint64_t table_key[TABLE];
static int32_t table_id[TABLE];
static int32_t ids;

/* The id of a key; a new one is the next number. */
ALWAYS_INLINE int32_t id_of(uint64_t key, int *is_new) {
  uint64_t place = key * UINT64_C(0x9e3779b97f4a7c15) >> (64 - TABLE_BITS);
  while (table_id[place] != 0) {
    if (table_key[place] == key) return table_id[place] - 1;
    place = (place + 1) & (TABLE - 1);
  }
  if (ids == TABLE / 2) fail("too many keys");
  table_key[place] = key;
  table_id[place] = ++ids;
  *is_new = 1;
  return ids - 1;
}

static int32_t greatest(const int32_t *values) {
  int32_t most = 0;
  for (int64_t row = 0; row < cycle_rows; row++) if (values[row] > most) most = values[row];
  return most;
}

/* How many ids the cycle's cells have, rounded up to whole vectors. */
static int64_t count_cells(int64_t cells, int64_t (*cell)(int64_t)) {
  char *seen = zeroed(cells, 1);
  int64_t count = 0;
  for (int64_t row = 0; row < cycle_rows; row++) {
    char *flag = &seen[cell(row)];
    count += *flag == 0;
    *flag = 1;
  }
  free(seen);
  return (count + 7) / 8 * 8;
}

/* ---- CM1: at, category, cpu. Four categories are the lanes of a vector ---- */

static const long4 ONE_OF_FOUR[4] = {{-1, 0, 0, 0}, {0, -1, 0, 0}, {0, 0, -1, 0}, {0, 0, 0, -1}};
static double4 cm1_sums[60], cm1_sum;
static long4 cm1_counts[60], cm1_count;

ALWAYS_INLINE double4 four_times(double value) { return (double4){value, value, value, value}; }

static void cm1_add(int64_t from, int64_t until) {
  const int32_t *category = INTS(1);
  const double *cpu = DOUBLES(2);
  double4 even = cm1_sums[slot], odd = {0};
  long4 even_count = cm1_counts[slot], odd_count = {0};
  int64_t row = from;
  for (; row + 2 <= until; row += 2) {
    long4 one = ONE_OF_FOUR[category[row]], other = ONE_OF_FOUR[category[row + 1]];
    even += (double4)(one & (long4)four_times(cpu[row]));
    odd += (double4)(other & (long4)four_times(cpu[row + 1]));
    even_count -= one;
    odd_count -= other;
  }
  if (row < until) {
    even += (double4)(ONE_OF_FOUR[category[row]] & (long4)four_times(cpu[row]));
    even_count -= ONE_OF_FOUR[category[row]];
  }
  cm1_sums[slot] = even + odd;
  cm1_counts[slot] = even_count + odd_count;
}

static void cm1_close(void) {
  int64_t oldest = oldest_slot();
  cm1_sum += cm1_sums[slot];
  cm1_count += cm1_counts[slot];
  for (int32_t category = 0; category < 4; category++) {
    if (cm1_count[category] == 0) continue;
    int64_t row = new_row();
    out_int[0][row] = category;
    out_double[0][row] = cm1_sum[category];
  }
  cm1_count -= cm1_counts[oldest];
  /* A sum of nothing is 0, whatever rounding has left of it. */
  cm1_sum = (double4)((long4)(cm1_sum - cm1_sums[oldest]) & (cm1_count != 0));
  cm1_sums[oldest] = (double4){0};
  cm1_counts[oldest] = (long4){0};
}

static void cm1(int64_t from, int64_t to) { by_slices(from, to, cm1_add, cm1_close); }

static void cm1_start(void) {
  has_window(60, 1);
  if (greatest(INTS(1)) > 3) fail("CM1 is written for four categories");
  has_column(INT, out_int[0]);
  has_column(LONG, out_start);
  has_column(LONG, out_end);
  has_column(DOUBLE, out_double[0]);
}

/* ---- CM2: at, eventType, jobId, cpu. Few tuples pass ---- */

static double *cm2_sum;
static int32_t *cm2_count;
static int64_t *cm2_job;
/* A bit for each id that has tuples in the window. */
static uint64_t cm2_present[TABLE / 64];

static void cm2_take(int64_t row) {
  int is_new = 0;
  int64_t job = LONGS(2)[row];
  int32_t id = id_of((uint64_t)job, &is_new);
  if (is_new) cm2_job[id] = job;
  double cpu = DOUBLES(3)[row];
  cm2_sum[id] += cpu;
  cm2_count[id]++;
  cm2_present[id / 64] |= UINT64_C(1) << (id % 64);
  queue_id[queue_tail & (QUEUE - 1)] = id;
  queue_value[queue_tail++ & (QUEUE - 1)] = cpu;
  slice_tuples[slot]++;
}

static void cm2_add(int64_t from, int64_t until) {
  const int32_t *type = INTS(1);
  int64_t row = from;
  for (; row + 8 <= until; row += 8) {
    long4 hits = (long4)(*(const int8v *)(type + row) == 3);
    if ((hits[0] | hits[1] | hits[2] | hits[3]) == 0) continue;
    for (int64_t each = row; each < row + 8; each++) if (type[each] == 3) cm2_take(each);
  }
  for (; row < until; row++) if (type[row] == 3) cm2_take(row);
}

static void cm2_close(void) {
  int64_t oldest = oldest_slot();
  for (int32_t word = 0; word * 64 < ids; word++) {
    for (uint64_t bits = cm2_present[word]; bits != 0; bits &= bits - 1) {
      int32_t id = word * 64 + __builtin_ctzll(bits);
      int64_t row = new_row();
      out_long[0][row] = cm2_job[id];
      out_double[0][row] = cm2_sum[id];
    }
  }
  for (; slice_tuples[oldest] > 0; slice_tuples[oldest]--) {
    int32_t id = queue_id[queue_head & (QUEUE - 1)];
    cm2_sum[id] -= queue_value[queue_head++ & (QUEUE - 1)];
    if (--cm2_count[id] > 0) continue;
    cm2_sum[id] = 0;
    cm2_present[id / 64] &= ~(UINT64_C(1) << (id % 64));
  }
}

static void cm2(int64_t from, int64_t to) { by_slices(from, to, cm2_add, cm2_close); }

static void cm2_start(void) {
  has_window(60, 1);
  has_queue();
  cm2_sum = zeroed(TABLE, sizeof *cm2_sum);
  cm2_count = zeroed(TABLE, sizeof *cm2_count);
  cm2_job = zeroed(TABLE, sizeof *cm2_job);
  has_column(LONG, out_long[0]);
  has_column(LONG, out_start);
  has_column(LONG, out_end);
  has_column(DOUBLE, out_double[0]);
}

/* ---- SG1: at, value. One number a slice ---- */

static double sg1_sums[3600], sg1_sum;
static int64_t sg1_counts[3600], sg1_count;

static void sg1_add(int64_t from, int64_t until) {
  sg1_sums[slot] += sum_doubles(DOUBLES(1) + from, until - from);
  sg1_counts[slot] += until - from;
}

static void sg1_close(void) {
  int64_t oldest = oldest_slot();
  sg1_sum += sg1_sums[slot];
  sg1_count += sg1_counts[slot];
  if (sg1_count > 0) out_double[0][new_row()] = sg1_sum / (double)sg1_count;
  sg1_sum -= sg1_sums[oldest];
  sg1_count -= sg1_counts[oldest];
  sg1_sums[oldest] = 0;
  sg1_counts[oldest] = 0;
}

static void sg1(int64_t from, int64_t to) { by_slices(from, to, sg1_add, sg1_close); }

static void sg1_start(void) {
  has_window(3600, 1);
  has_column(LONG, out_start);
  has_column(LONG, out_end);
  has_column(DOUBLE, out_double[0]);
}

/* ---- SG2: at, plug, household, house, value. Partials of a slice lie by id, so that windows are sums of vectors ---- */

static int64_t sg2_households, sg2_houses, sg2_keys;
static int32_t *sg2_id, *sg2_key[3];
static double *sg2_sums, *sg2_counts, *sg2_sum, *sg2_count, *sg2_mean;

static int64_t sg2_cell(int64_t row) {
  return (INTS(1)[row] * sg2_households + INTS(2)[row]) * sg2_houses + INTS(3)[row];
}

static void sg2_add(int64_t from, int64_t until) {
  double *sums = sg2_sums + slot * sg2_keys, *counts = sg2_counts + slot * sg2_keys;
  const double *value = DOUBLES(4);
  for (int64_t row = from; row < until; row++) {
    int32_t *known = &sg2_id[sg2_cell(row)];
    if (*known == 0) {
      for (int part = 0; part < 3; part++) sg2_key[part][ids] = INTS(1 + part)[row];
      *known = ++ids;
    }
    sums[*known - 1] += value[row];
    counts[*known - 1] += 1;
  }
}

/* Takes the open slice into the window, gives the means, takes the oldest slice out. Gives how many keys are there. */
static int64_t sg2_roll(const double *restrict new_sums, const double *restrict new_counts, double *restrict old_sums,
                        double *restrict old_counts, double *restrict window_sums, double *restrict window_counts,
                        double *restrict means) {
  double present = 0;
  for (int64_t id = 0; id < sg2_keys; id++) {
    double sum = window_sums[id] + new_sums[id], count = window_counts[id] + new_counts[id];
    double left = count - old_counts[id];
    means[id] = sum / count;
    window_sums[id] = left == 0 ? 0 : sum - old_sums[id];
    window_counts[id] = left;
    old_sums[id] = 0;
    old_counts[id] = 0;
  }
  for (int64_t id = 0; id < sg2_keys; id++) present += means[id] == means[id];
  return (int64_t)present;
}

static void sg2_close(void) {
  int64_t oldest = oldest_slot();
  int64_t present = sg2_roll(sg2_sums + slot * sg2_keys, sg2_counts + slot * sg2_keys, sg2_sums + oldest * sg2_keys,
                             sg2_counts + oldest * sg2_keys, sg2_sum, sg2_count, sg2_mean);
  if (present < ids) {
    for (int32_t id = 0; id < ids; id++) {
      if (sg2_mean[id] != sg2_mean[id]) continue;
      int64_t row = new_row();
      for (int part = 0; part < 3; part++) out_int[part][row] = sg2_key[part][id];
      out_double[0][row] = sg2_mean[id];
    }
    return;
  }
  for (int64_t id = 0; id < ids;) {
    int64_t given = new_rows(ids - id);
    for (int part = 0; part < 3; part++) memcpy(out_int[part] + out_rows, sg2_key[part] + id, (size_t)given * 4);
    memcpy(out_double[0] + out_rows, sg2_mean + id, (size_t)given * 8);
    out_rows += given;
    id += given;
  }
}

static void sg2(int64_t from, int64_t to) { by_slices(from, to, sg2_add, sg2_close); }

static void sg2_start(void) {
  has_window(128, 1);
  int64_t plugs = greatest(INTS(1)) + 1;
  sg2_households = greatest(INTS(2)) + 1;
  sg2_houses = greatest(INTS(3)) + 1;
  int64_t cells = plugs * sg2_households * sg2_houses;
  sg2_id = zeroed(cells, sizeof *sg2_id);
  sg2_keys = count_cells(cells, sg2_cell);
  for (int part = 0; part < 3; part++) sg2_key[part] = zeroed(sg2_keys, sizeof *sg2_key[part]);
  sg2_sums = zeroed(slices * sg2_keys, sizeof *sg2_sums);
  sg2_counts = zeroed(slices * sg2_keys, sizeof *sg2_counts);
  sg2_sum = zeroed(sg2_keys, sizeof *sg2_sum);
  sg2_count = zeroed(sg2_keys, sizeof *sg2_count);
  sg2_mean = zeroed(sg2_keys, sizeof *sg2_mean);
  for (int part = 0; part < 3; part++) has_column(INT, out_int[part]);
  has_column(LONG, out_start);
  has_column(LONG, out_end);
  has_column(DOUBLE, out_double[0]);
}

/* ---- LRB1: at, highway, direction, position, speed. Few tuples a slice, many keys in the window ---- */

static int64_t lrb1_segments, lrb1_keys;
static int32_t *lrb1_id, *lrb1_key[3], *lrb1_slow;
static double *lrb1_sum, *lrb1_count, *lrb1_mean;

static int64_t lrb1_cell(int64_t row) {
  return (INTS(1)[row] * 2 + INTS(2)[row]) * lrb1_segments + INTS(3)[row] / 5280;
}

static void lrb1_add(int64_t from, int64_t until) {
  const double *speed = DOUBLES(4);
  for (int64_t row = from; row < until; row++) {
    int32_t *known = &lrb1_id[lrb1_cell(row)];
    if (*known == 0) {
      for (int part = 0; part < 2; part++) lrb1_key[part][ids] = INTS(1 + part)[row];
      lrb1_key[2][ids] = INTS(3)[row] / 5280;
      *known = ++ids;
    }
    int32_t id = *known - 1;
    lrb1_sum[id] += speed[row];
    lrb1_count[id] += 1;
    queue_id[queue_tail & (QUEUE - 1)] = id;
    queue_value[queue_tail++ & (QUEUE - 1)] = speed[row];
  }
  slice_tuples[slot] += (int32_t)(until - from);
}

static void lrb1_close(void) {
  int64_t oldest = oldest_slot(), count = 0;
  for (int64_t id = 0; id < lrb1_keys; id++) lrb1_mean[id] = lrb1_sum[id] / lrb1_count[id];
  /* Without branches, as half of them would be foreseen wrongly. The mean of nothing is NaN and not below 40. */
  for (int32_t id = 0; id < ids; id++) {
    lrb1_slow[count] = id;
    count += lrb1_mean[id] < 40;
  }
  for (int64_t done = 0; done < count;) {
    int64_t given = new_rows(count - done);
    for (int64_t index = 0; index < given; index++) {
      int32_t id = lrb1_slow[done + index];
      for (int part = 0; part < 3; part++) out_int[part][out_rows + index] = lrb1_key[part][id];
      out_double[0][out_rows + index] = lrb1_mean[id];
    }
    out_rows += given;
    done += given;
  }
  for (int32_t tuple = 0; tuple < slice_tuples[oldest]; tuple++) {
    int32_t id = queue_id[queue_head & (QUEUE - 1)];
    double left = lrb1_count[id] - 1;
    double sum = lrb1_sum[id] - queue_value[queue_head++ & (QUEUE - 1)];
    lrb1_count[id] = left;
    lrb1_sum[id] = left == 0 ? 0 : sum;
  }
  slice_tuples[oldest] = 0;
}

static void lrb1(int64_t from, int64_t to) { by_slices(from, to, lrb1_add, lrb1_close); }

static void lrb1_start(void) {
  has_window(300, 1);
  has_queue();
  if (greatest(INTS(2)) > 1) fail("a road has two directions");
  lrb1_segments = greatest(INTS(3)) / 5280 + 1;
  int64_t cells = (greatest(INTS(1)) + 1) * 2 * lrb1_segments;
  lrb1_id = zeroed(cells, sizeof *lrb1_id);
  lrb1_keys = count_cells(cells, lrb1_cell);
  for (int part = 0; part < 3; part++) lrb1_key[part] = zeroed(lrb1_keys, sizeof *lrb1_key[part]);
  lrb1_slow = zeroed(lrb1_keys + 1, sizeof *lrb1_slow);
  lrb1_sum = zeroed(lrb1_keys, sizeof *lrb1_sum);
  lrb1_count = zeroed(lrb1_keys, sizeof *lrb1_count);
  lrb1_mean = zeroed(lrb1_keys, sizeof *lrb1_mean);
  for (int part = 0; part < 3; part++) has_column(INT, out_int[part]);
  has_column(LONG, out_start);
  has_column(LONG, out_end);
  has_column(DOUBLE, out_double[0]);
}

/* ---- LRB2: at, vehicle, highway, direction, position. Thirty result rows a tuple: those present lie together ---- */

/* By id: the place among those present, or −1. */
static int32_t *lrb2_place;
static int32_t *lrb2_present, *lrb2_key[4];
static int64_t *lrb2_count, lrb2_presents;

static void lrb2_add(int64_t from, int64_t until) {
  const int32_t *vehicle = INTS(1), *highway = INTS(2), *direction = INTS(3), *position = INTS(4);
  for (int64_t row = from; row < until; row++) {
    int is_new = 0;
    int32_t segment = position[row] / 5280;
    uint64_t key = (uint64_t)(uint32_t)vehicle[row] << 32 | (uint64_t)highway[row] << 24 | (uint64_t)direction[row] << 23 | (uint64_t)segment;
    int32_t id = id_of(key, &is_new);
    if (is_new) lrb2_place[id] = -1;
    int64_t place = lrb2_place[id];
    if (place < 0) {
      place = lrb2_presents++;
      lrb2_place[id] = (int32_t)place;
      lrb2_present[place] = id;
      lrb2_key[0][place] = vehicle[row];
      lrb2_key[1][place] = highway[row];
      lrb2_key[2][place] = direction[row];
      lrb2_key[3][place] = segment;
      lrb2_count[place] = 0;
    }
    lrb2_count[place]++;
    queue_id[queue_tail++ & (QUEUE - 1)] = id;
  }
  slice_tuples[slot] += (int32_t)(until - from);
}

static void lrb2_close(void) {
  int64_t oldest = oldest_slot();
  for (int64_t done = 0; done < lrb2_presents;) {
    int64_t given = new_rows(lrb2_presents - done);
    for (int part = 0; part < 4; part++) memcpy(out_int[part] + out_rows, lrb2_key[part] + done, (size_t)given * 4);
    memcpy(out_long[0] + out_rows, lrb2_count + done, (size_t)given * 8);
    out_rows += given;
    done += given;
  }
  for (; slice_tuples[oldest] > 0; slice_tuples[oldest]--) {
    int32_t id = queue_id[queue_head++ & (QUEUE - 1)];
    int32_t place = lrb2_place[id];
    if (--lrb2_count[place] > 0) continue;
    /* The last one takes the place of the one that leaves. */
    int64_t last = --lrb2_presents;
    lrb2_place[id] = -1;
    if (place == last) continue;
    for (int part = 0; part < 4; part++) lrb2_key[part][place] = lrb2_key[part][last];
    lrb2_count[place] = lrb2_count[last];
    lrb2_present[place] = lrb2_present[last];
    lrb2_place[lrb2_present[place]] = place;
  }
}

static void lrb2(int64_t from, int64_t to) { by_slices(from, to, lrb2_add, lrb2_close); }

static void lrb2_start(void) {
  has_window(30, 1);
  has_queue();
  lrb2_place = zeroed(TABLE, sizeof *lrb2_place);
  lrb2_present = zeroed(TABLE, sizeof *lrb2_present);
  lrb2_count = zeroed(TABLE, sizeof *lrb2_count);
  for (int part = 0; part < 4; part++) lrb2_key[part] = zeroed(TABLE, sizeof *lrb2_key[part]);
  for (int part = 0; part < 4; part++) has_column(INT, out_int[part]);
  has_column(LONG, out_start);
  has_column(LONG, out_end);
  has_column(LONG, out_long[0]);
}

/* ---- YSB: at, eventType, ad. Ten ads a campaign; the latest view of a campaign is the last one ---- */

#define CAMPAIGNS 128
#define CHUNK 2048

static int64_t ysb_views[4][CAMPAIGNS], ysb_latest[CAMPAIGNS];

/* Rows that pass are picked first, without branches: one in three, and nobody foresees which. */
static void ysb_chunk(int64_t from, int64_t until) {
  static int32_t picked[CHUNK + 1];
  const int32_t *type = INTS(1) + from, *ad = INTS(2) + from;
  const int64_t *time = at + from;
  int64_t count = 0;
  for (int32_t row = 0; row < until - from; row++) {
    picked[count] = row;
    count += type[row] == 0;
  }
  for (int64_t index = 0; index < count; index++) {
    int32_t row = picked[index];
    uint32_t campaign = (uint32_t)ad[row] / 10;
    ysb_views[index & 3][campaign]++;
    ysb_latest[campaign] = time[row];
  }
}

static void ysb_close(void) {
  for (int32_t campaign = 0; campaign < CAMPAIGNS; campaign++) {
    int64_t views = 0;
    for (int part = 0; part < 4; part++) {
      views += ysb_views[part][campaign];
      ysb_views[part][campaign] = 0;
    }
    if (views == 0) continue;
    int64_t row = new_row();
    out_int[0][row] = campaign;
    out_long[0][row] = views;
    out_long[1][row] = ysb_latest[campaign];
  }
}

/* Windows are long, so their ends are looked for chunk by chunk, while times are at hand. */
static void ysb(int64_t from, int64_t to) {
  while (from < to) {
    int64_t until = to - from < CHUNK ? to : from + CHUNK;
    if (at[until - 1] < slice_end) {
      ysb_chunk(from, until);
      from = until;
    } else {
      int64_t end = end_of_slice(from, until);
      ysb_chunk(from, end);
      from = end;
      for (; at[from] >= slice_end; slice_end += slide) ysb_close();
    }
  }
}

static void ysb_start(void) {
  has_window(100, 100);
  if (greatest(INTS(2)) / 10 >= CAMPAIGNS) fail("YSB is written for up to 128 campaigns");
  has_column(INT, out_int[0]);
  has_column(LONG, out_start);
  has_column(LONG, out_end);
  has_column(LONG, out_long[0]);
  has_column(LONG, out_long[1]);
}

/* ---- NBQ5: at, auction. Neighbours mostly bid in the same auction, so four copies of the counts take turns ---- */

static int32_t *nbq5_counts, *nbq5_window, *nbq5_open[4];
static int64_t nbq5_keys, nbq5_rows;

static int64_t nbq5_cell(int64_t row) { return INTS(1)[row]; }

static void nbq5_add(int64_t from, int64_t until) {
  const int32_t *auction = INTS(1);
  for (int64_t row = from; row < until; row++) {
    int is_new = 0;
    nbq5_open[row & 3][id_of((uint64_t)auction[row], &is_new)]++;
  }
  nbq5_rows += until - from;
}

static int32_t nbq5_roll(int32_t *restrict window, int32_t *restrict new_counts, int32_t *restrict old_counts) {
  int32_t *restrict open[4] = {nbq5_open[0], nbq5_open[1], nbq5_open[2], nbq5_open[3]};
  int32_t most = 0;
  for (int64_t id = 0; id < nbq5_keys; id++) {
    int32_t arrived = open[0][id] + open[1][id] + open[2][id] + open[3][id];
    int32_t count = window[id] + arrived;
    for (int part = 0; part < 4; part++) open[part][id] = 0;
    new_counts[id] = arrived;
    most = count > most ? count : most;
    window[id] = count - old_counts[id];
  }
  return most;
}

static void nbq5_close(void) {
  int64_t oldest = oldest_slot();
  int32_t most = nbq5_roll(nbq5_window, nbq5_counts + slot * nbq5_keys, nbq5_counts + oldest * nbq5_keys);
  if (most == 0) return;
  /* The result's window is that of the second operator: one slide, tumbling. */
  int64_t row = new_row();
  out_start[row] = slice_end - slide;
  out_long[0][row] = most;
}

static void nbq5(int64_t from, int64_t to) { by_slices(from, to, nbq5_add, nbq5_close); }

static void nbq5_start(void) {
  has_window(60, 1);
  nbq5_keys = count_cells(greatest(INTS(1)) + 1, nbq5_cell);
  nbq5_counts = zeroed(slices * nbq5_keys, sizeof *nbq5_counts);
  nbq5_window = zeroed(nbq5_keys, sizeof *nbq5_window);
  for (int part = 0; part < 4; part++) nbq5_open[part] = zeroed(nbq5_keys, sizeof *nbq5_open[part]);
  has_column(LONG, out_start);
  has_column(LONG, out_end);
  has_column(LONG, out_long[0]);
}

/* ---- ME1: at, three phases of a machine's power ---- */

static int64_t me1_sums[60][3], me1_counts[60], me1_sum[3], me1_count;

static int64_t sum_ints(const int32_t *values, int64_t count) {
  int64_t sum = 0;
  for (int64_t row = 0; row < count; row++) sum += values[row];
  return sum;
}

static void me1_add(int64_t from, int64_t until) {
  for (int part = 0; part < 3; part++) me1_sums[slot][part] += sum_ints(INTS(1 + part) + from, until - from);
  me1_counts[slot] += until - from;
}

static void me1_close(void) {
  int64_t oldest = oldest_slot();
  me1_count += me1_counts[slot];
  for (int part = 0; part < 3; part++) me1_sum[part] += me1_sums[slot][part];
  if (me1_count > 0) {
    int64_t row = new_row();
    for (int part = 0; part < 3; part++) out_double[part][row] = (double)me1_sum[part] / (double)me1_count;
  }
  me1_count -= me1_counts[oldest];
  me1_counts[oldest] = 0;
  for (int part = 0; part < 3; part++) {
    me1_sum[part] -= me1_sums[oldest][part];
    me1_sums[oldest][part] = 0;
  }
}

static void me1(int64_t from, int64_t to) { by_slices(from, to, me1_add, me1_close); }

static void me1_start(void) {
  has_window(60, 1);
  has_column(LONG, out_start);
  has_column(LONG, out_end);
  for (int part = 0; part < 3; part++) has_column(DOUBLE, out_double[part]);
}

/* ---- The frame ---- */

typedef struct {
  const char *name;
  /* Bytes of a value, column by column. */
  const char *widths;
  void (*start)(void);
  void (*run)(int64_t from, int64_t to);
} query;

static const query QUERIES[] = {
  {"CM1", "848", cm1_start, cm1},        {"CM2", "8488", cm2_start, cm2},      {"SG1", "88", sg1_start, sg1},
  {"SG2", "84448", sg2_start, sg2},      {"LRB1", "84448", lrb1_start, lrb1},  {"LRB2", "84444", lrb2_start, lrb2},
  {"YSB", "844", ysb_start, ysb},        {"NBQ5", "84", nbq5_start, nbq5},     {"ME1", "8444", me1_start, me1},
};

static const query *the_query;

static double seconds(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Runs up to `tuples` tuples, up to the ring's end. Gives how many. */
static int64_t run_piece(int64_t tuples) {
  int64_t left = ring_rows - cursor;
  int64_t count = tuples < left ? tuples : left;
  the_query->run(cursor, cursor + count);
  cursor += count;
  return count;
}

static void wrap(void) {
  if (cursor < ring_rows) return;
  shift_ring();
  cursor = 0;
}

static void report(int64_t tuples, double wall, double cpu) {
  flush();
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  printf("{\"tuples\":%" PRId64 ",\"seconds\":%.9f,\"cpuSeconds\":%.9f,\"rows\":%" PRId64 ",\"peakMiB\":%.1f,\"sums\":[", tuples, wall,
         cpu, result_rows, (double)usage.ru_maxrss / 1024);
  for (int index = 0; index < result_columns; index++) {
    if (index > 0) putchar(',');
    if (results[index].type == DOUBLE) printf("%.17g", results[index].double_sum);
    else printf("\"%" PRIu64 "\"", results[index].whole_sum);
  }
  printf("]}\n");
  fflush(stdout);
}

/* Runs until both have been reached, the tuples and the time. */
static void run(int64_t tuples, double least_seconds, int64_t piece) {
  double wall = 0, cpu = 0;
  int64_t done = 0;
  while (done < tuples || wall < least_seconds) {
    double wall_start = seconds(CLOCK_MONOTONIC), cpu_start = seconds(CLOCK_PROCESS_CPUTIME_ID);
    int64_t wanted = done < tuples && tuples - done < piece ? tuples - done : piece;
    done += run_piece(wanted);
    wall += seconds(CLOCK_MONOTONIC) - wall_start;
    cpu += seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu_start;
    wrap();
  }
  report(done, wall, cpu);
}

static long2 read_bytes(const char *bytes, size_t length) {
  const long2 *values = (const long2 *)bytes;
  long2 sums[8] = {{0}};
  for (size_t index = 0; index + 8 <= length / sizeof *values; index += 8)
    for (int part = 0; part < 8; part++) sums[part] += values[index + (size_t)part];
  for (int part = 1; part < 8; part++) sums[0] += sums[part];
  return sums[0];
}

/* Sequential reading with loads of 128 bits, over the ring. */
static void read_ring(void) {
  static volatile int64_t seen;
  size_t bytes = 0;
  double start = seconds(CLOCK_MONOTONIC), start_cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
  for (int index = 0; the_query->widths[index] != 0; index++) {
    size_t length = (size_t)ring_rows * (size_t)(the_query->widths[index] - '0');
    long2 sum = read_bytes(column[index], length);
    seen += sum[0] + sum[1];
    bytes += length;
  }
  printf("{\"bytes\":%zu,\"seconds\":%.9f,\"cpuSeconds\":%.9f}\n", bytes, seconds(CLOCK_MONOTONIC) - start,
         seconds(CLOCK_PROCESS_CPUTIME_ID) - start_cpu);
  fflush(stdout);
}

static void serve(void) {
  char line[4096], path[4000];
  long long number;
  while (fgets(line, sizeof line, stdin) != NULL) {
    if (sscanf(line, "runFor %lld", &number) == 1) run(0, (double)number / 1000, INT64_C(1) << 20);
    else if (sscanf(line, "run %lld", &number) == 1) run(number, 0, number);
    else if (strcmp(line, "read\n") == 0) read_ring();
    else if (sscanf(line, "check %lld %3999[^\n]", &number, path) == 2) {
      rows_file = fopen(path, "w");
      if (rows_file == NULL) fail("the rows cannot be written");
      run(number, 0, number);
      fclose(rows_file);
      rows_file = NULL;
    } else fail("an unknown command");
  }
}

int main(int count, char **values) {
  if (count != 7) fail("give the query, the cycle's file, its rows and period, the start, and the ring's rows");
  for (size_t index = 0; index < sizeof QUERIES / sizeof *QUERIES; index++)
    if (strcmp(QUERIES[index].name, values[1]) == 0) the_query = &QUERIES[index];
  if (the_query == NULL) fail("there is no such query");
  FILE *file = fopen(values[2], "r");
  if (file == NULL) fail("the cycle's file cannot be read");
  cycle_rows = atoll(values[3]);
  period = atoll(values[4]);
  ring_rows = atoll(values[6]);
  if (cycle_rows <= 0 || ring_rows <= 0 || ring_rows % cycle_rows != 0) fail("a ring is whole cycles");
  fill_ring(file, the_query->widths, atoll(values[5]));
  fclose(file);
  the_query->start();
  serve();
  return 0;
}
