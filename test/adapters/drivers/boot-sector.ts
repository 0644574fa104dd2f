/**
 * The disk of a machine that does one thing: 512 bytes that its firmware starts. `ready` goes to its serial port; then it runs until its
 * power button is pressed, or whatever it is asked, or ends at once with a code. Odd codes need the device `isa-debug-exit`, and 0 none.
 * Source: Intel 82371AB (PIIX4) data sheet, "Power Management I/O Space Registers"; QEMU docs, "isa-debug-exit".
 */

/** Words of the emulator by which a guest can end it with a code. */
export const EXIT_DEVICE = ['-device', 'isa-debug-exit,iobase=0x501,iosize=1']

const SECTOR_BYTES = 512
const MESSAGE_AT = 0x7c80
const BEGIN = [
  ...[0xfa, 0xfc, 0x31, 0xc0, 0x8e, 0xd8, 0x8e, 0xd0, 0xbc, 0x00, 0x7c], // cli; cld; xor ax,ax; mov ds,ax; mov ss,ax; mov sp,0x7c00
  ...[0xbe, MESSAGE_AT & 0xff, MESSAGE_AT >> 8, 0xba, 0xf8, 0x03], // mov si,message; mov dx,0x3f8
  ...[0xac, 0x84, 0xc0, 0x74, 0x03, 0xee, 0xeb, 0xf8], // again: lodsb; test al,al; jz on; out dx,al; jmp again
]
/** mov dx,0x604; mov ax,0x2000; out dx,ax; sleep: hlt; jmp sleep */
const POWER_OFF = [0xba, 0x04, 0x06, 0xb8, 0x00, 0x20, 0xef, 0xf4, 0xeb, 0xfd]
const WAIT_FOR_BUTTON = [
  ...[0xba, 0x02, 0x06, 0xb8, 0x00, 0x01, 0xef], // mov dx,0x602; mov ax,0x100; out dx,ax: the button is listened to
  ...[0xfb, 0xf4, 0xba, 0x00, 0x06, 0xed, 0xf6, 0xc4, 0x01, 0x74, 0xf6], // look: sti; hlt; mov dx,0x600; in ax,dx; test ah,1; jz look
]
/** sti; sleep: hlt; jmp sleep */
const SLEEP = [0xfb, 0xf4, 0xeb, 0xfd]

export function bootSector(does: 'run' | 'sleep' | number): Buffer {
  const then = does === 'run' ? [...WAIT_FOR_BUTTON, ...POWER_OFF] : does === 'sleep' ? SLEEP : ending(does)
  const sector = Buffer.alloc(SECTOR_BYTES)
  Buffer.from([...BEGIN, ...then]).copy(sector)
  sector.write(typeof does === 'number' ? '' : 'ready\n\0', MESSAGE_AT - 0x7c00)
  sector.writeUInt16LE(0xaa55, SECTOR_BYTES - 2)
  return sector
}

function ending(code: number): readonly number[] {
  // mov dx,0x501; mov al,…; out dx,al: what is written there is doubled, and one is added
  return code === 0 ? POWER_OFF : [0xba, 0x01, 0x05, 0xb0, (code - 1) / 2, 0xee, ...SLEEP]
}
