import eu.europa.esig.dss.model.FileDocument;
import eu.europa.esig.dss.simplereport.SimpleReport;
import eu.europa.esig.dss.simplereport.jaxb.XmlTimestamp;
import eu.europa.esig.dss.spi.DSSUtils;
import eu.europa.esig.dss.spi.validation.CommonCertificateVerifier;
import eu.europa.esig.dss.spi.x509.CommonTrustedCertificateSource;
import eu.europa.esig.dss.spi.x509.revocation.crl.ExternalResourcesCRLSource;
import eu.europa.esig.dss.validation.SignedDocumentValidator;
import java.io.ByteArrayInputStream;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;

/**
 * Asks the EU's validator, offline and with its default policy. Each argument is a folder with sealed.pdf, trusted
 * certificates (*.pem) and revocation lists (*.crl). Prints a line for each, its cells parted by tabs: the folder's
 * name, indication, subindication or "null", format, the indications of the signature's time stamps.
 */
public class Dss {
    public static void main(String[] folders) throws IOException {
        for (String name : folders) {
            File folder = new File(name);
            System.out.println(folder.getName() + "\t" + answer(folder));
        }
    }

    private static String answer(File folder) throws IOException {
        SignedDocumentValidator validator;
        try {
            validator = SignedDocumentValidator.fromDocument(new FileDocument(new File(folder, "sealed.pdf")));
        } catch (RuntimeException error) {
            return "REFUSED\t" + error.getClass().getSimpleName() + "\tnull\t";
        }
        validator.setCertificateVerifier(verifier(folder));
        SimpleReport report = validator.validateDocument().getSimpleReport();
        String id = report.getFirstSignatureId();
        if (id == null) {
            return "UNSIGNED\tnull\tnull\t";
        }
        List<String> stamps = new ArrayList<>();
        for (XmlTimestamp stamp : report.getSignatureTimestamps(id)) {
            stamps.add(String.valueOf(stamp.getIndication()));
        }
        return report.getIndication(id) + "\t" + report.getSubIndication(id) + "\t" + report.getSignatureFormat(id)
                + "\t" + String.join(" ", stamps);
    }

    private static CommonCertificateVerifier verifier(File folder) throws IOException {
        CommonTrustedCertificateSource trusted = new CommonTrustedCertificateSource();
        for (File file : named(folder, ".pem")) {
            trusted.addCertificate(DSSUtils.loadCertificate(file));
        }
        List<InputStream> lists = new ArrayList<>();
        for (File file : named(folder, ".crl")) {
            lists.add(new ByteArrayInputStream(Files.readAllBytes(file.toPath())));
        }
        CommonCertificateVerifier verifier = new CommonCertificateVerifier();
        verifier.addTrustedCertSources(trusted);
        verifier.setAIASource(null);
        verifier.setOcspSource(null);
        verifier.setCrlSource(new ExternalResourcesCRLSource(lists.toArray(new InputStream[0])));
        return verifier;
    }

    private static File[] named(File folder, String ending) {
        return folder.listFiles((parent, name) -> name.endsWith(ending));
    }
}
