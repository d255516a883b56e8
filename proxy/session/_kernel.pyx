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


include "_kernel_values.pxi"


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


include "_kernel_reading.pxi"
