import java.io.FileReader;
import net.fortuna.ical4j.data.CalendarBuilder;
import net.fortuna.ical4j.model.Calendar;
import net.fortuna.ical4j.validate.ValidationEntry;
import net.fortuna.ical4j.validate.ValidationResult;

/** For each file: its name, and what ical4j says against it, by RFC 5545 and for its METHOD by RFC 5546; `ok` for nothing. */
public class Itip {
    public static void main(String[] files) throws Exception {
        for (String file : files) {
            String said = "";
            try (FileReader reader = new FileReader(file, java.nio.charset.StandardCharsets.UTF_8)) {
                Calendar calendar = new CalendarBuilder().build(reader);
                ValidationResult result = calendar.validate(true);
                for (ValidationEntry entry : result.getEntries()) {
                    said += " " + entry.getSeverity() + ":" + entry.getContext() + ":" + entry.getMessage();
                }
            } catch (Exception error) {
                said = " EXCEPTION:" + error.getMessage();
            }
            String name = new java.io.File(file).getName();
            System.out.println(name + ":" + (said.isEmpty() ? " ok" : said.replace('\n', ' ')));
        }
    }
}
