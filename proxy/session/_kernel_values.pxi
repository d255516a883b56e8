"""Values in their wire forms: the part of _kernel.pyx that stands for the types' output and send functions."""

cdef int put_integer(Buffer out, int64_t number) except -1:
    cdef char digits[24]
    cdef int position = 24
    cdef uint64_t left = <uint64_t>number if number >= 0 else 0 - <uint64_t>number
    while True:
        position -= 1
        digits[position] = <char>(48 + left % 10)
        left //= 10
        if not left:
            break
    if number < 0:
        position -= 1
        digits[position] = 45
    return out.add(digits + position, 24 - position)


cdef int put_float(Buffer out, double number) except -1:
    cdef char *text = PyOS_double_to_string(number, b"r", 0, 0, NULL)
    try:
        return out.add(text, strlen(text))
    finally:
        PyMem_Free(text)


cdef int put_hex(Buffer out, const uint8_t *data, Py_ssize_t count) except -1:
    cdef Py_ssize_t index
    cdef char *at
    out.reserve(count * 2 + 2)
    at = out.data + out.size
    at[0], at[1] = 92, 120
    for index in range(count):
        at[2 + 2 * index] = HEXADECIMAL[data[index] >> 4]
        at[3 + 2 * index] = HEXADECIMAL[data[index] & 15]
    out.size += count * 2 + 2
    return 0


cdef int put_uuid(Buffer out, const char *text, Py_ssize_t size) except -1:
    """0: it is none."""
    cdef int index = 0, nibble, count = 0
    cdef char *at
    if size != 36:
        return 0
    out.reserve(16)
    at = out.data + out.size
    for index in range(36):
        if index == 8 or index == 13 or index == 18 or index == 23:
            if text[index] != 45:
                return 0
            continue
        nibble = text[index]
        if is_digit(text[index]):
            nibble -= 48
        elif 97 <= nibble <= 102:
            nibble -= 87
        else:
            return 0
        if count & 1:
            at[count >> 1] |= <char>nibble
        else:
            at[count >> 1] = <char>(nibble << 4)
        count += 1
    out.size += 16
    return 1


cdef int put_decimal(Buffer out, const char *text, Py_ssize_t size) except -1:
    """numeric_send of a number's text (translator/types/numeric.py); 0: it is not plain enough."""
    cdef bint negative = size > 0 and text[0] == 45
    cdef const char *whole = text + negative
    cdef const char *end = text + size
    cdef const char *point = whole
    cdef const char *fraction
    cdef const char *each
    cdef int groups[80]
    cdef int count = 0, weight, first = 0, index, group, scale, lead
    if size > 200:
        return 0
    while point < end and is_digit(point[0]):
        point += 1
    fraction = point + 1 if point < end else point
    if point == whole or (point < end and (point[0] != 46 or fraction == end)):
        return 0
    each = fraction
    while each < end:
        if not is_digit(each[0]):
            return 0
        each += 1
    scale = end - fraction
    lead = (point - whole) & 3
    weight = ((point - whole) + 3) // 4 - 1
    each = whole
    while each < point:
        group = 0
        for index in range(lead if lead else 4):
            group = group * 10 + each[0] - 48
            each += 1
        lead = 0
        groups[count] = group
        count += 1
    each = fraction
    while each < end:
        group = 0
        for index in range(4):
            group = group * 10 + (each[0] - 48 if each < end else 0)
            each += 1
        groups[count] = group
        count += 1
    while count > first and groups[count - 1] == 0:
        count -= 1
    while first < count and groups[first] == 0:
        first += 1
        weight -= 1
    if first == count:
        weight, negative = 0, False
    out.reserve(8 + 2 * (count - first))
    cdef char *at = out.data + out.size
    at[0], at[1] = <char>((count - first) >> 8), <char>(count - first)
    at[2], at[3] = <char>(weight >> 8), <char>weight
    at[4], at[5] = 0x40 if negative else 0, 0
    at[6], at[7] = <char>(scale >> 8), <char>scale
    for index in range(first, count):
        at += 2
        at[6], at[7] = <char>(groups[index] >> 8), <char>groups[index]
    out.size += 8 + 2 * (count - first)
    return 1


cdef int put_general(Buffer out, object value, object type, object settings, bint binary) except -1:
    cdef bytes data = type.send(value, settings) if binary else type.output(value, settings).encode()
    return out.add(PyBytes_AS_STRING(data), PyBytes_GET_SIZE(data))


cdef int put_value(Buffer out, object value, int kind, object type, object settings) except -1:
    """Add a value that is not NULL; in its type's way where it is not what the kind expects."""
    cdef Py_ssize_t size
    cdef const char *text
    cdef int overflow = 0
    cdef int64_t number, second
    cdef double real
    if kind == INTEGER:
        if PyLong_CheckExact(value):
            number = PyLong_AsLongLongAndOverflow(value, &overflow)
            if not overflow:
                return put_integer(out, number)
    elif kind == STRING:
        if PyUnicode_CheckExact(value):
            text = PyUnicode_AsUTF8AndSize(value, &size)
            return out.add(text, size)
    elif kind == MOMENT or kind == MOMENT_UTC:
        if PyUnicode_CheckExact(value):
            text = PyUnicode_AsUTF8AndSize(value, &size)
            if size and is_digit(text[0]):
                out.add(text, size)
                return out.add(b"+00", 3) if kind == MOMENT_UTC else 0
    elif kind == FLOAT:
        if PyFloat_CheckExact(value):
            real = PyFloat_AS_DOUBLE(value)
            if 1e-4 <= fabs(real) < 1e15:  # where PostgreSQL's shortest form and Python's are one (rows.py)
                return put_float(out, real)
    elif kind == BOOLEAN:
        return out.add(b"t" if value else b"f", 1)
    elif kind == HEX:
        if PyBytes_CheckExact(value):
            return put_hex(out, <const uint8_t *>PyBytes_AS_STRING(value), PyBytes_GET_SIZE(value))
    elif INT2 <= kind <= OID:
        if PyLong_CheckExact(value):
            number = PyLong_AsLongLongAndOverflow(value, &overflow)
            if not overflow:
                out.reserve(8)
                if kind == INT8:
                    put_int64(out.data + out.size, number)
                    out.size += 8
                    return 0
                if kind == INT2 and -0x8000 <= number <= 0x7FFF:
                    out.data[out.size], out.data[out.size + 1] = <char>(number >> 8), <char>number
                    out.size += 2
                    return 0
                if (kind == INT4 and -0x80000000 <= number <= 0x7FFFFFFF) or (kind == OID and 0 <= number <= 0xFFFFFFFF):
                    put_int32(out.data + out.size, number)
                    out.size += 4
                    return 0
    elif kind == DOUBLE:
        if PyFloat_CheckExact(value):
            out.reserve(8)
            PyFloat_Pack8(PyFloat_AS_DOUBLE(value), out.data + out.size, 0)
            out.size += 8
            return 0
    elif kind == BOOL:
        return out.add(b"\1" if value else b"\0", 1)
    elif kind == BYTES:
        if PyBytes_CheckExact(value):
            return out.add(PyBytes_AS_STRING(value), PyBytes_GET_SIZE(value))
    elif kind >= UUID and PyUnicode_CheckExact(value):
        text = PyUnicode_AsUTF8AndSize(value, &size)
        if kind == DECIMAL:
            if put_decimal(out, text, size):
                return 0
        elif kind == UUID:
            if put_uuid(out, text, size):
                return 0
        elif size == 10 or size >= 19:
            number = day_number(text)
            if kind == DAY and size == 10 and number != NO_DAY:
                out.reserve(4)
                put_int32(out.data + out.size, number)
                out.size += 4
                return 0
            if kind == MICROSECONDS and size >= 19 and number != NO_DAY and text[10] == 32:
                second, number = second_of_day(text + 11), number * 86_400_000_000
                if second >= 0 and fraction_of(text + 19, size - 19) >= 0:
                    out.reserve(8)
                    put_int64(out.data + out.size, number + second * 1_000_000 + fraction_of(text + 19, size - 19))
                    out.size += 8
                    return 0
    return put_general(out, value, type, settings, kind >= INT2 or kind < 0)
