/* Where matrix number i of a batch starts, in elements, given the batch's dimensions and the operand's steps along them. */
#ifndef TW_BATCH_H
#define TW_BATCH_H

#include <stddef.h>
#include <stdint.h>

static inline ptrdiff_t tw_batch_offset(int32_t i, int32_t rank, const int32_t *dims, const int32_t *steps)
{
    ptrdiff_t offset = 0;
    for (int32_t axis = rank - 1; axis >= 0; axis--) {
        offset += (ptrdiff_t)(i % dims[axis]) * steps[axis];
        i /= dims[axis];
    }
    return offset;
}

#endif
