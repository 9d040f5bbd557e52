/* Executables as bytes of the library: init's and the monitor's. INIT_PATH, MONITOR_PATH: the files, from the build. */
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
  .balign 16
  .globl runts_monitor_start
  .hidden runts_monitor_start
  .globl runts_monitor_end
  .hidden runts_monitor_end
runts_monitor_start:
  .incbin MONITOR_PATH
runts_monitor_end:
  .byte 0
  .section .note.GNU-stack, "", %progbits
