# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Rows of results and of COPY in C: what rows.py, copy_lines.py and copy_blocks.py do in Python, for the types that most columns have.

Optional: where it was not built, those modules do all of it, and the same tests hold for both (kernel.py chooses).

Rule: nothing is decided here. A value that is not as a kind of column expects it goes through its Type, as in Python; a block of
COPY FROM that is not regular raises ValueError, and is read again in Python, where errors know line and column.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.float cimport PyFloat_AS_DOUBLE, PyFloat_CheckExact, PyFloat_FromDouble
from cpython.long cimport PyLong_CheckExact, PyLong_FromLongLong
from cpython.mem cimport PyMem_Free, PyMem_Malloc, PyMem_Realloc
from cpython.object cimport PyObject
from cpython.ref cimport Py_INCREF
from cpython.tuple cimport PyTuple_CheckExact, PyTuple_GET_ITEM, PyTuple_GET_SIZE, PyTuple_New, PyTuple_SET_ITEM
from cpython.unicode cimport PyUnicode_DecodeUTF8
from libc.math cimport fabs, isinf
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memchr, memcmp, memcpy, memmove, memset, strlen

cdef extern from "Python.h":
    int PyUnicode_CheckExact(object)
    int PyBytes_CheckExact(object)
    const char *PyUnicode_AsUTF8AndSize(object, Py_ssize_t *) except NULL
    long long PyLong_AsLongLongAndOverflow(object, int *) except? -1
    char *PyOS_double_to_string(double, char, int, int, int *) except NULL
    double PyOS_string_to_double(const char *, char **, PyObject *) except? -1.0
    int PyFloat_Pack8(double, char *, int) except -1

# The kinds of columns; kernel.py says which types have them.
cpdef enum Kind:
    GENERAL = 0
    INTEGER = 1
    STRING = 2
    BOOLEAN = 3
    FLOAT = 4
    MOMENT = 5  # date, time and timestamp in ISO style: the stored text
    MOMENT_UTC = 6
    HEX = 7
    NUMERIC = 8
    DATE = 9
    TIMESTAMP = 10
    TIMESTAMPTZ = 11
    INT2 = 16  # binary format from here on
    INT4 = 17
    INT8 = 18
    OID = 19
    BYTES = 20
    BOOL = 21
    DOUBLE = 22
    UUID = 23
    DAY = 24
    MICROSECONDS = 25
    DECIMAL = 26

cdef enum:
    NO_DAY = -0x7FFFFFFF

cdef const char *HEXADECIMAL = b"0123456789abcdef"


cdef class Buffer:
    """Bytes that grow. `data` may move whenever something is added."""

    cdef char *data
    cdef Py_ssize_t size
    cdef Py_ssize_t capacity

    def __cinit__(self):
        self.capacity = 1 << 16
        self.data = <char *>PyMem_Malloc(self.capacity)
        if self.data == NULL:
            raise MemoryError

    def __dealloc__(self):
        PyMem_Free(self.data)

    cdef int reserve(self, Py_ssize_t more) except -1:
        cdef char *moved
        cdef Py_ssize_t wanted
        if self.size + more > self.capacity:
            wanted = max(self.capacity * 2, self.size + more)
            moved = <char *>PyMem_Realloc(self.data, wanted)
            if moved == NULL:
                raise MemoryError
            self.data, self.capacity = moved, wanted
        return 0

    cdef int add(self, const char *bytes, Py_ssize_t count) except -1:
        self.reserve(count)
        memcpy(self.data + self.size, bytes, count)
        self.size += count
        return 0


cdef inline void put_int32(char *at, int64_t number) noexcept:
    at[0], at[1], at[2], at[3] = <char>(number >> 24), <char>(number >> 16), <char>(number >> 8), <char>number


cdef inline void put_int64(char *at, int64_t number) noexcept:
    put_int32(at, number >> 32)
    put_int32(at + 4, number)


cdef inline bint is_digit(char byte) noexcept:
    return 48 <= byte <= 57


cdef inline int two(const char *text) noexcept:
    """The number of two digits; negative for what is none."""
    if is_digit(text[0]) and is_digit(text[1]):
        return (text[0] - 48) * 10 + text[1] - 48
    return -1000


cdef int day_number(const char *text) noexcept:
    """Days since 2000-01-01 of YYYY-MM-DD in the years 1 to 9999; NO_DAY for what is none."""
    cdef int year = two(text) * 100 + two(text + 2)
    cdef int month = two(text + 5)
    cdef int day = two(text + 8)
    cdef int last = 31
    cdef int era, years, days
    if text[4] != 45 or text[7] != 45 or year < 1 or month < 1 or month > 12 or day < 1:
        return NO_DAY
    if month == 2:
        last = 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    elif month == 4 or month == 6 or month == 9 or month == 11:
        last = 30
    if day > last:
        return NO_DAY
    # The calendar's year begins in March here, so that the leap day is its last.
    year -= month <= 2
    era = year // 400
    years = year - era * 400
    days = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return era * 146097 + years * 365 + years // 4 - years // 100 + days - 730425



cdef int64_t second_of_day(const char *text) noexcept:
    """Seconds of HH:MM:SS before 24:00; negative for what is none."""
    cdef int hour = two(text), minute = two(text + 3), second = two(text + 6)
    if text[2] != 58 or text[5] != 58 or not (0 <= hour < 24 and 0 <= minute < 60 and 0 <= second < 60):
        return -1
    return (hour * 60 + minute) * 60 + second


cdef int64_t fraction_of(const char *text, Py_ssize_t size) noexcept:
    """Microseconds of .f to .ffffff, 0 for nothing; negative for what is none."""
    cdef int64_t found = 0
    cdef Py_ssize_t index
    if size == 0:
        return 0
    if size < 2 or size > 7 or text[0] != 46:
        return -1
    for index in range(1, 7):
        if index < size and not is_digit(text[index]):
            return -1
        found = found * 10 + (text[index] - 48 if index < size else 0)
    return found


# Values of rows


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


cdef class _Columns:
    """The columns of rows: a kind and a Type for each."""

    cdef tuple types
    cdef int codes[1664]  # MaxTupleAttributeNumber, the most columns of a result
    cdef Py_ssize_t count

    def __init__(self, kinds, types):
        cdef Py_ssize_t index
        self.types = tuple(types)
        self.count = len(kinds)
        if self.count > 1664 or self.count != len(self.types):
            raise ValueError("too many columns")
        for index in range(self.count):
            self.codes[index] = kinds[index]


cdef class RowEncoder(_Columns):
    """Encodes rows as messages of the form of DataRow. A negative kind is a general one in binary format."""

    cdef char message

    def __init__(self, kinds, types, message):
        _Columns.__init__(self, kinds, types)
        self.message = message

    def __call__(self, rows, settings):
        cdef Buffer out = Buffer()
        cdef Py_ssize_t start, at, index
        cdef tuple row
        cdef object value
        for each in rows:
            row = each if PyTuple_CheckExact(each) else tuple(each)
            if self.count and PyTuple_GET_SIZE(row) != self.count:  # SQLite has no rows without columns
                raise ValueError("row of another width")
            start = out.size
            out.reserve(7)
            out.size += 7
            for index in range(self.count):
                value = <object>PyTuple_GET_ITEM(row, index)
                out.reserve(4)
                at = out.size
                out.size += 4
                if value is None:
                    put_int32(out.data + at, -1)
                    continue
                put_value(out, value, self.codes[index], self.types[index], settings)
                put_int32(out.data + at, out.size - at - 4)
            out.data[start] = self.message
            put_int32(out.data + start + 1, out.size - start - 1)
            out.data[start + 5], out.data[start + 6] = <char>(self.count >> 8), <char>self.count
        return PyBytes_FromStringAndSize(out.data, out.size)


cdef class LineEncoder(_Columns):
    """Encodes rows as CopyData messages, each a line of text format, or of CSV if there is a quote."""

    cdef bytes null
    cdef char delimiter, quote, escape
    cdef bint is_csv, alone
    cdef char forced[1664]
    cdef char special[256]

    def __init__(self, kinds, types, delimiter, null, *, quote=b"", escape=b"", forced=()):
        _Columns.__init__(self, kinds, types)
        cdef Py_ssize_t index
        self.null = null
        self.delimiter = delimiter[0]
        self.is_csv = bool(quote)
        self.alone = self.count == 1
        memset(self.special, 0, 256)
        memset(self.forced, 0, 1664)
        if self.is_csv:
            self.quote, self.escape = quote[0], escape[0]
            for index in (10, 13, quote[0], delimiter[0]):
                self.special[index] = 1
            for index in range(self.count):
                self.forced[index] = forced[index]
        else:
            for byte, letter in zip(b"\b\f\n\r\t\v\\", b"bfnrtv\\"):
                self.special[byte] = letter
            self.special[delimiter[0]] = self.special[delimiter[0]] or delimiter[0]

    def __call__(self, rows, settings):
        cdef Buffer out = Buffer()
        cdef Py_ssize_t start, at, index
        cdef tuple row
        cdef object value
        for each in rows:
            row = each if PyTuple_CheckExact(each) else tuple(each)
            if self.count and PyTuple_GET_SIZE(row) != self.count:  # SQLite has no rows without columns
                raise ValueError("row of another width")
            start = out.size
            out.reserve(5)
            out.size += 5
            for index in range(self.count):
                if index:
                    out.add(&self.delimiter, 1)
                value = <object>PyTuple_GET_ITEM(row, index)
                if value is None:
                    out.add(PyBytes_AS_STRING(self.null), PyBytes_GET_SIZE(self.null))
                    continue
                at = out.size
                put_value(out, value, self.codes[index], self.types[index], settings)
                if self.is_csv:
                    self.quote_from(out, at, self.forced[index])
                else:
                    self.escape_from(out, at)
            out.add(b"\n", 1)
            out.data[start] = 100  # d, CopyData
            put_int32(out.data + start + 1, out.size - start - 1)
        return PyBytes_FromStringAndSize(out.data, out.size)

    cdef int escape_from(self, Buffer out, Py_ssize_t start) except -1:
        """A backslash before all special bytes of the field that starts here (CopyAttributeOutText)."""
        cdef Py_ssize_t index, target, more = 0
        cdef char code
        for index in range(start, out.size):
            if self.special[<uint8_t>out.data[index]]:
                more += 1
        if not more:
            return 0
        out.reserve(more)
        index, target = out.size, out.size + more
        out.size = target
        while target > index:
            index -= 1
            target -= 1
            code = self.special[<uint8_t>out.data[index]]
            out.data[target] = code if code else out.data[index]
            if code:
                target -= 1
                out.data[target] = 92
        return 0

    cdef int quote_from(self, Buffer out, Py_ssize_t start, bint forced) except -1:
        """Quotes around the field that starts here, if it needs some (CopyAttributeOutCSV)."""
        cdef Py_ssize_t index, target, more = 2, size = out.size - start
        cdef bint needed = forced
        cdef char byte
        needed = needed or (size == PyBytes_GET_SIZE(self.null) and memcmp(out.data + start, PyBytes_AS_STRING(self.null), size) == 0)
        needed = needed or (self.alone and size == 2 and memcmp(out.data + start, b"\\.", 2) == 0)
        for index in range(start, out.size):
            byte = out.data[index]
            if byte == self.quote or byte == self.escape:
                more += 1
            if self.special[<uint8_t>byte]:
                needed = True
        if not needed:
            return 0
        out.reserve(more)
        index, target = out.size, out.size + more
        out.size = target
        target -= 1
        out.data[target] = self.quote
        while index > start:
            index -= 1
            target -= 1
            byte = out.data[index]
            out.data[target] = byte
            if byte == self.quote or byte == self.escape:
                target -= 1
                out.data[target] = self.escape
        out.data[start] = self.quote
        return 0


# Rows of COPY FROM


cdef object irregular = ValueError

cdef double POWERS[23]
cdef int _power
for _power in range(23):
    POWERS[_power] = 10.0 ** _power


cdef class LineReader:
    """Reads blocks of whole lines of COPY FROM as rows of stored values.

    `limits`: two numbers a column: the least and the greatest INTEGER; the most characters of a STRING, or -1; the digits before the point
    and the scale of a NUMERIC, or -1; whether a TIMESTAMP may have a fraction. `inputs`: what reads the text of a GENERAL column.
    """

    cdef tuple inputs
    cdef int codes[1664]
    cdef int64_t low[1664]
    cdef int64_t high[1664]
    cdef Py_ssize_t count
    cdef char delimiter, quote
    cdef bint is_csv
    cdef bytes null
    cdef char *field  # where a field with escapes or quotes is put together
    cdef Py_ssize_t room

    def __cinit__(self):
        self.field, self.room = NULL, 0

    def __dealloc__(self):
        PyMem_Free(self.field)

    def __init__(self, kinds, limits, inputs, delimiter, null, quote=b""):
        cdef Py_ssize_t index
        self.count = len(kinds)
        self.inputs = tuple(inputs)
        if not 0 < self.count <= 1664 or self.count != len(limits) or self.count != len(self.inputs):
            raise ValueError("too many columns")
        for index in range(self.count):
            self.codes[index] = kinds[index]
            self.low[index], self.high[index] = limits[index]
        self.delimiter, self.null = delimiter[0], null
        self.is_csv = bool(quote)
        self.quote = quote[0] if quote else 0

    def __call__(self, bytes block):
        """The rows of a block. Raises ValueError, and what `inputs` raise, where it is not regular."""
        cdef const char *at = PyBytes_AS_STRING(block)
        cdef const char *end = at + PyBytes_GET_SIZE(block)
        cdef const char *field
        cdef Py_ssize_t index, size
        cdef bint quoted
        cdef list rows = []
        cdef tuple row
        cdef object value
        while at < end:
            row = PyTuple_New(self.count)
            for index in range(self.count):
                field, size, quoted = at, 0, False
                if self.is_csv:
                    at = self.csv_field(at, end, &field, &size, &quoted)
                else:
                    at = self.text_field(at, end, &field, &size)
                # a field ends before its delimiter, the last one before the end of the line
                if index + 1 < self.count:
                    if at >= end or at[0] != self.delimiter:
                        raise irregular
                elif at < end and at[0] != 10:
                    raise irregular
                at += 1
                if not quoted and size == PyBytes_GET_SIZE(self.null) and memcmp(field, PyBytes_AS_STRING(self.null), size) == 0:
                    value = None
                else:
                    if not self.is_csv and size < 0:
                        size = self.unescaped(&field, -size)
                    value = self.value(field, size, index)
                Py_INCREF(value)
                PyTuple_SET_ITEM(row, index, value)
            rows.append(row)
        return rows

    cdef const char *text_field(self, const char *at, const char *end, const char **field, Py_ssize_t *size) noexcept:
        """Up to the next delimiter or line end that no backslash precedes; the size is negative for a field with backslashes."""
        cdef const char *start = at
        cdef bint escaped = False
        while at < end and at[0] != self.delimiter and at[0] != 10:
            if at[0] == 92:
                escaped = True
                at += 1
                if at == end or at[0] == 10:
                    break
            at += 1
        field[0] = start
        size[0] = at - start
        # the marker of NULL is compared before backslashes are resolved
        if escaped and not (size[0] == PyBytes_GET_SIZE(self.null) and memcmp(start, PyBytes_AS_STRING(self.null), size[0]) == 0):
            size[0] = -size[0]
        return at

    cdef int make_room(self, Py_ssize_t size) except -1:
        cdef char *moved
        if size > self.room:
            moved = <char *>PyMem_Realloc(self.field, size * 2)
            if moved == NULL:
                raise MemoryError
            self.field, self.room = moved, size * 2
        return 0

    cdef Py_ssize_t unescaped(self, const char **field, Py_ssize_t size) except -1:
        """The field without its backslashes; those before digits, x and line ends are for Python."""
        cdef const char *at = field[0]
        cdef const char *end = at + size
        cdef Py_ssize_t count = 0
        cdef char byte
        self.make_room(size)
        while at < end:
            byte = at[0]
            at += 1
            if byte == 92:
                if at == end or is_digit(at[0]) or at[0] == 120 or at[0] == 10 or at[0] == 46:
                    raise irregular
                byte = at[0]
                at += 1
                if byte == 98:
                    byte = 8
                elif byte == 102:
                    byte = 12
                elif byte == 110:
                    byte = 10
                elif byte == 114:
                    byte = 13
                elif byte == 116:
                    byte = 9
                elif byte == 118:
                    byte = 11
            self.field[count] = byte
            count += 1
        field[0] = self.field
        return count

    cdef const char *csv_field(self, const char *at, const char *end, const char **field, Py_ssize_t *size, bint *quoted) except NULL:
        """A field that is quoted as a whole or has no quotes; the quote escapes itself."""
        cdef const char *start = at
        cdef Py_ssize_t count = 0
        if at < end and at[0] == self.quote:
            quoted[0] = True
            at += 1
            field[0] = start = at
            while at < end and at[0] != self.quote and at[0] != 10:
                at += 1
            if at + 1 < end and at[0] == self.quote and at[1] == self.quote:
                return self.doubled(start, end, field, size)
            if at == end or at[0] == 10:
                raise irregular
            size[0] = at - start
            return at + 1
        while at < end and at[0] != self.delimiter and at[0] != 10:
            if at[0] == self.quote:
                raise irregular
            at += 1
        field[0] = start
        size[0] = at - start
        return at

    cdef const char *doubled(self, const char *at, const char *end, const char **field, Py_ssize_t *size) except NULL:
        cdef Py_ssize_t count = 0
        cdef const char *line_end = <const char *>memchr(at, 10, end - at)
        self.make_room((end if line_end == NULL else line_end) - at)
        while True:
            if at == end or at[0] == 10:
                raise irregular
            if at[0] == self.quote:
                if at + 1 == end or at[1] != self.quote:
                    break
                at += 1
            self.field[count] = at[0]
            count += 1
            at += 1
        field[0] = self.field
        size[0] = count
        return at + 1

    cdef object value(self, const char *text, Py_ssize_t size, Py_ssize_t index):
        """The stored value of a field."""
        cdef int kind = self.codes[index]
        if kind == STRING:
            return self.string(text, size, self.low[index])
        if kind == INTEGER:
            return self.integer(text, size, index)
        if kind == FLOAT:
            return self.real(text, size)
        if kind == BOOLEAN:
            return self.boolean(text, size)
        if kind == NUMERIC:
            return self.numeric(text, size, self.low[index], self.high[index])
        if kind == DATE:
            if size != 10 or day_number(text) == NO_DAY:
                raise irregular
            return PyUnicode_DecodeUTF8(text, size, NULL)
        if kind == TIMESTAMP or kind == TIMESTAMPTZ:
            return self.moment(text, size, kind == TIMESTAMPTZ, self.low[index] != 0)
        return self.inputs[index](PyUnicode_DecodeUTF8(text, size, NULL))

    cdef object string(self, const char *text, Py_ssize_t size, int64_t most):
        cdef object made = PyUnicode_DecodeUTF8(text, size, NULL)
        if most >= 0 and size > most and len(made) > most:
            raise irregular
        return made

    cdef object integer(self, const char *text, Py_ssize_t size, Py_ssize_t index):
        cdef int64_t number = 0
        cdef bint negative = size > 0 and text[0] == 45
        cdef Py_ssize_t position
        if size == negative or size > 18:
            raise irregular
        for position in range(negative, size):
            if not is_digit(text[position]):
                raise irregular
            number = number * 10 + text[position] - 48
        number = -number if negative else number
        if number < self.low[index] or number > self.high[index]:
            raise irregular
        return PyLong_FromLongLong(number)

    cdef object boolean(self, const char *text, Py_ssize_t size):
        if size == 1 and (text[0] == 116 or text[0] == 49):
            return 1
        if size == 1 and (text[0] == 102 or text[0] == 48):
            return 0
        if size == 4 and memcmp(text, b"true", 4) == 0:
            return 1
        if size == 5 and memcmp(text, b"false", 5) == 0:
            return 0
        raise irregular

    cdef object real(self, const char *text, Py_ssize_t size):
        """A number in decimal. Up to 15 digits and a power of ten that a double holds exactly make one correctly rounded division."""
        cdef uint64_t digits = 0
        cdef Py_ssize_t position = size > 0 and text[0] == 45
        cdef Py_ssize_t point = -1, count = 0
        cdef bint negative = position
        cdef double number
        cdef char copy[64]
        cdef char *stop
        if size == position or size > 60:
            raise irregular
        while position < size:
            if text[position] == 46 and point < 0:
                point = position
            elif is_digit(text[position]):
                digits = digits * 10 + text[position] - 48
                count += 1
            else:
                break
            position += 1
        if position == size and 0 < count <= 15:
            number = <double>digits / POWERS[size - point - 1 if point >= 0 else 0]
            return PyFloat_FromDouble(-number if negative else number)
        for position in range(size):
            if not (is_digit(text[position]) or text[position] in (43, 45, 46, 69, 101)):
                raise irregular
        memcpy(copy, text, size)
        copy[size] = 0
        number = PyOS_string_to_double(copy, &stop, NULL)
        if stop != copy + size or isinf(number) or number == 0:  # 0: too small a number is an error
            raise irregular
        return PyFloat_FromDouble(number)

    cdef object numeric(self, const char *text, Py_ssize_t size, int64_t digits, int64_t scale):
        """A number whose text is what a column of this modifier holds (copy_blocks._numeric_pattern)."""
        cdef Py_ssize_t position = size > 0 and text[0] == 45
        cdef Py_ssize_t start = position, whole
        if position < size and text[position] == 48:
            if position:
                raise irregular
            position += 1
        else:
            while position < size and is_digit(text[position]):
                position += 1
        whole = position - start
        if not whole or whole > (100 if scale < 0 else max(digits, <int64_t>1)) or (scale >= 0 and not digits and text[start] != 48):
            raise irregular
        if position < size or scale > 0:
            if position == size or text[position] != 46 or size - position - 1 > 99 or scale == 0:
                raise irregular
            if scale > 0 and size - position - 1 != scale or position + 1 == size:
                raise irregular
            for position in range(position + 1, size):
                if not is_digit(text[position]):
                    raise irregular
        return PyUnicode_DecodeUTF8(text, size, NULL)

    cdef object moment(self, const char *text, Py_ssize_t size, bint zoned, bint fractional):
        """A timestamp as it is stored; one with a time zone if that is +00."""
        if zoned:
            size -= 3
            if size < 19 or memcmp(text + size, b"+00", 3) != 0:
                raise irregular
        if size < 19 or day_number(text) == NO_DAY or text[10] != 32 or second_of_day(text + 11) < 0:
            raise irregular
        if size > 19 and (not fractional or fraction_of(text + 19, size - 19) < 0 or text[size - 1] == 48):
            raise irregular
        return PyUnicode_DecodeUTF8(text, size, NULL)
