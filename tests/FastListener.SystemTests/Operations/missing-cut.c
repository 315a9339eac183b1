/* Stands in for the C library in a copy of the program: ftruncate is found in it, and is nothing. Calling it is then an exception of a kind that
   no code of the program expects of a disk, as a defect of its own would be. Everything else goes to the real library. */
static void *nothing(void)
{
    return 0;
}

int ftruncate(int descriptor, long length) __attribute__((ifunc("nothing")));
