/* Input and output through the debugger, which QEMU plays. */
#include <string.h>

#include "tw_runtime.h"

enum { OPEN = 0x01, WRITE0 = 0x04, READ = 0x06, EXIT_EXTENDED = 0x20 };

void tw_exit(int status)
{
    const uint32_t block[2] = { 0x20026, (uint32_t)status };
    for (;;) {
        tw_semihosting(EXIT_EXTENDED, block);
    }
}

int tw_open(const char *name)
{
    const uint32_t block[3] = { (uint32_t)(uintptr_t)name, 1, (uint32_t)strlen(name) };
    return tw_semihosting(OPEN, block);
}

int tw_read(int file, void *to, size_t bytes)
{
    const uint32_t block[3] = { (uint32_t)file, (uint32_t)(uintptr_t)to, (uint32_t)bytes };
    /* The result is the number of bytes that were not read. */
    return tw_semihosting(READ, block) == 0;
}

void tw_print(const char *text)
{
    tw_semihosting(WRITE0, text);
}

void tw_print_number(uint32_t number)
{
    char digits[11];
    char *at = digits + sizeof digits - 1;
    *at = '\0';
    do {
        *--at = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    tw_print(at);
}

void tw_print_bytes(const void *data, size_t bytes)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *from = data;
    char line[2 * 32 + 2];
    size_t n = 0;
    for (size_t i = 0; i < bytes; i++) {
        line[n++] = digits[from[i] >> 4];
        line[n++] = digits[from[i] & 15];
        if (i % 32 == 31 || i + 1 == bytes) {
            line[n++] = '\n';
            line[n] = '\0';
            tw_print(line);
            n = 0;
        }
    }
}
