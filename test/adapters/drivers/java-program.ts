/**
 * A program for the Java machine, compiled, since hosts that run such programs have no compiler. It says what was given and how many
 * words it got, then ends with the code that is its first word, or runs on: `-run` until it is asked to end, `-deaf` whatever it is asked.
 * Made by `javac -g:none --release 8` and `jar cfm` of:
 *
 * public class Drill extends Thread {
 *   private static boolean isDeaf;
 *
 *   public void run() {
 *     while (isDeaf) rest();
 *     Runtime.getRuntime().halt(0);
 *   }
 *
 *   public static void main(String[] args) {
 *     System.out.println(System.getProperty("given") + " " + args.length);
 *     if (args[0].charAt(0) != '-') System.exit(Integer.parseInt(args[0]));
 *     isDeaf = args[0].equals("-deaf");
 *     Runtime.getRuntime().addShutdownHook(new Drill());
 *     System.out.println("ready");
 *     while (true) rest();
 *   }
 *
 *   private static void rest() {
 *     try {
 *       sleep(50);
 *     } catch (InterruptedException e) {
 *     }
 *   }
 * }
 */

export const DRILL_JAR = Buffer.from(
  [
    'UEsDBBQACAgIAFA0fl0AAAAAAAAAAAAAAAAJAAQATUVUQS1JTkYv/soAAAMAUEsHCAAAAAACAAAAAAAAAFBLAwQUAAgICABQNH5dAAAAAAAAAAAAAAAAFAAAAE1FVEEtSU',
    '5GL01BTklGRVNULk1G803My0xLLS7RDUstKs7Mz7NSMNQz4OXyTczM03XOSSwutlJwKcrMyeHlci5KTSxJTdF1qgSqMdcz0DM0VdBwSU3KTMzT5OXi5QIAUEsHCPGUOuRL',
    'AAAASgAAAFBLAwQUAAgICABQNH5dAAAAAAAAAAAAAAAACwAAAERyaWxsLmNsYXNzjVNZUxNBEP4m14ZlFIjgLYJnEo1RvI0XgkcUBQmigteSHZOFze66maj8FJ985Bmtii',
    'mt8gf4h3zy6NmkkGCsch92pqe7v/76+vbz81cApyB0hBDWEOGIIsbQu2i8NrK24ZSyM2VfGCZD7KLlWPIyQziZmu1CHF0adI5ucIbouG/ZNtlY1XFhvGRgczpZbOboUWgR',
    'X1Sljj4kNGzh6McAQ9+fCNM1R1oVwaCXhFwTBpKpib9scgplG8d27CDYsmFLOpJ5RWgXdmvYwzGIvW38C8tVKSpE262R8UAT03KzU77lyIKk5Co5DcMM29b5SFKWrtUs2x',
    'S+jiGE4zhAaZas18LRKdQhjsNIMnQT4ynf9YQvlxkOJSc2YuRSfz8pwDTHERylihmeJxwqb+a/fFuUcnEcoyIPKaTjCukEw24qwz/tleFJTo0+zRCXblPJ0J/sSO8szmk4',
    'z3EBOYYtHQrGoHlKsh3Vpw7EZ3VcwmUNVziuYrS9H63YsWLZ8Edb/RvTMYZxDdc5buBm23TkHSlKwifenuFXBYn/iJlXjclz3A5mQ7y1ZBwT1LSMSSOp+NzjmMQURRavao',
    'Zd3QAzubAoijKXCiY3rOaswDGDBww9hmkWyjVpum+cW667tMGxuSCUcxwPKZwSlqNofiMKbJ7jCZ6SqmoL4amEb6dmNTxnGGxP0/drnhTm9bdF4UnLpeJGxlyTdiHs10jY',
    'VJBGcemu4c0YCza9RiqGRc9bk/OdOoBhCh0iDrRXakvpFqE7rTf9X5DURyejM5r+BLYa0GUw1tRpclbq/g/Q3qGrgU0rv7430BuuY+tqYLsQQIYIvAtFmC2/KsKB39MP2P',
    'kFQ48/YV9ifwMH60glMvRLf60jW8dIHWfS4RFCu9ibeQ9O9wauNXCLLok7ddz9CI2ifUGcEO7XMU1wiVlyCoj8WE/g7F7KsGeN+NEW8e5+PGpgbgWRO6vBQ4x4Pmu5aQjl',
    'NZKA31BLBwjOKYX54AIAAAQFAABQSwECFAAUAAgICABQNH5dAAAAAAIAAAAAAAAACQAEAAAAAAAAAAAAAAAAAAAATUVUQS1JTkYv/soAAFBLAQIUABQACAgIAFA0fl3xlD',
    'rkSwAAAEoAAAAUAAAAAAAAAAAAAAAAAD0AAABNRVRBLUlORi9NQU5JRkVTVC5NRlBLAQIUABQACAgIAFA0fl3OKYX54AIAAAQFAAALAAAAAAAAAAAAAAAAAMoAAABEcmls',
    'bC5jbGFzc1BLBQYAAAAAAwADALYAAADjAwAAAAA=',
  ].join(''),
  'base64',
)

export const DRILL_CLASS = Buffer.from(
  [
    'yv66vgAAADQAZQoAAgADBwAEDAAFAAYBABBqYXZhL2xhbmcvVGhyZWFkAQAGPGluaXQ+AQADKClWCQAIAAkHAAoMAAsADAEABURyaWxsAQAGaXNEZWFmAQABWgoACAAODA',
    'APAAYBAARyZXN0CgARABIHABMMABQAFQEAEWphdmEvbGFuZy9SdW50aW1lAQAKZ2V0UnVudGltZQEAFSgpTGphdmEvbGFuZy9SdW50aW1lOwoAEQAXDAAYABkBAARoYWx0',
    'AQAEKEkpVgkAGwAcBwAdDAAeAB8BABBqYXZhL2xhbmcvU3lzdGVtAQADb3V0AQAVTGphdmEvaW8vUHJpbnRTdHJlYW07BwAhAQAXamF2YS9sYW5nL1N0cmluZ0J1aWxkZX',
    'IKACAAAwgAJAEABWdpdmVuCgAbACYMACcAKAEAC2dldFByb3BlcnR5AQAmKExqYXZhL2xhbmcvU3RyaW5nOylMamF2YS9sYW5nL1N0cmluZzsKACAAKgwAKwAsAQAGYXBw',
    'ZW5kAQAtKExqYXZhL2xhbmcvU3RyaW5nOylMamF2YS9sYW5nL1N0cmluZ0J1aWxkZXI7CAAuAQABIAoAIAAwDAArADEBABwoSSlMamF2YS9sYW5nL1N0cmluZ0J1aWxkZX',
    'I7CgAgADMMADQANQEACHRvU3RyaW5nAQAUKClMamF2YS9sYW5nL1N0cmluZzsKADcAOAcAOQwAOgA7AQATamF2YS9pby9QcmludFN0cmVhbQEAB3ByaW50bG4BABUoTGph',
    'dmEvbGFuZy9TdHJpbmc7KVYKAD0APgcAPwwAQABBAQAQamF2YS9sYW5nL1N0cmluZwEABmNoYXJBdAEABChJKUMKAEMARAcARQwARgBHAQARamF2YS9sYW5nL0ludGVnZX',
    'IBAAhwYXJzZUludAEAFShMamF2YS9sYW5nL1N0cmluZzspSQoAGwBJDABKABkBAARleGl0CABMAQAFLWRlYWYKAD0ATgwATwBQAQAGZXF1YWxzAQAVKExqYXZhL2xhbmcv',
    'T2JqZWN0OylaCgAIAAMKABEAUwwAVABVAQAPYWRkU2h1dGRvd25Ib29rAQAVKExqYXZhL2xhbmcvVGhyZWFkOylWCABXAQAFcmVhZHkFAAAAAAAAADIKAAgAWwwAXABdAQ',
    'AFc2xlZXABAAQoSilWBwBfAQAeamF2YS9sYW5nL0ludGVycnVwdGVkRXhjZXB0aW9uAQAEQ29kZQEAA3J1bgEADVN0YWNrTWFwVGFibGUBAARtYWluAQAWKFtMamF2YS9s',
    'YW5nL1N0cmluZzspVgAhAAgAAgAAAAEACgALAAwAAAAEAAEABQAGAAEAYAAAABEAAQABAAAABSq3AAGxAAAAAAABAGEABgABAGAAAAAqAAIAAQAAABSyAAeZAAm4AA2n//',
    'e4ABADtgAWsQAAAAEAYgAAAAQAAgALAAkAYwBkAAEAYAAAAHMAAwABAAAAXbIAGrsAIFm3ACISI7gAJbYAKRIttgApKr62AC+2ADK2ADYqAzIDtgA8EC2fAAwqAzK4AEK4',
    'AEgqAzISS7YATbMAB7gAELsACFm3AFG2AFKyABoSVrYANrgADaf//QAAAAEAYgAAAAQAAjcfAAoADwAGAAEAYAAAACwAAgABAAAACxQAWLgAWqcABEuxAAEAAAAGAAkAXg',
    'ABAGIAAAAHAAJJBwBeAAAA',
  ].join(''),
  'base64',
)
