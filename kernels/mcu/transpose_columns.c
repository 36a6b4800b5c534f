/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_transpose_columns
#define X_T int8_t
#endif
/* tilewright: end */
#include <stddef.h>
#include <stdint.h>

/* y [rows, columns] of x, which has `row_step` elements from one row to the next and `column_step` from one column to the next:
 * column by column, for matrices that have more rows than columns. */
void TW_KERNEL(const X_T *x, X_T *y, int32_t rows, int32_t columns, int32_t row_step, int32_t column_step)
{
    for (int32_t c = 0; c < columns; c++, y++, x += column_step) {
        const X_T *from = x;
        X_T *to = y;
        int32_t r = rows;
        for (; r >= 4; r -= 4) {
            const X_T a = from[0], b = from[row_step], d = from[2 * row_step], e = from[3 * row_step];
            to[0] = a;
            to[columns] = b;
            to[2 * columns] = d;
            to[3 * columns] = e;
            from += 4 * row_step;
            to += 4 * columns;
        }
        for (; r > 0; r--) {
            *to = *from;
            from += row_step;
            to += columns;
        }
    }
}
