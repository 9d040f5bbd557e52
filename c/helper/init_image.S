/* init's executable, as bytes of the library. INIT_PATH: the file, from the build. */
  .section .rodata
  .balign 16
  .globl runts_init_start
  .hidden runts_init_start
  .globl runts_init_end
  .hidden runts_init_end
runts_init_start:
  .incbin INIT_PATH
runts_init_end:
  .byte 0
  .section .note.GNU-stack, "", %progbits
