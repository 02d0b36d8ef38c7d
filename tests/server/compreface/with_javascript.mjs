// Drives CompreFace's own JavaScript client; run by test_clients.py in the folder that has it.
// Arguments: host with scheme, port, API key, folder of photographs. Prints what it was answered, as JSON.
import fs from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const require = createRequire(`${process.cwd()}/`);
const { CompreFace } = await import(pathToFileURL(require.resolve("@exadel/compreface-js-sdk")).href);
const [host, port, key, folder] = process.argv.slice(2);
process.chdir(folder); // it takes paths for such if they begin with a dot
console.log = () => {}; // it prints the key
const [grace, again, both] = ["grace", "again", "both"].map((name) => `./${name}.jpg`);
const client = new CompreFace(host, port, { det_prob_threshold: 0.8, status: true });
const recognition = client.initFaceRecognitionService(key);
const detection = client.initFaceDetectionService(key);
const verification = client.initFaceVerificationService(key);
const faces = () => recognition.getFaceCollection(); // it forgets its address once used
const subjects = () => recognition.getSubjects();

const told = { saved: await faces().add(grace, "Grace", {}) };
told.listed = await faces().list();
told.recognised = await recognition.recognize(both, { prediction_count: 2 });
told.verified = await faces().verify(again, told.saved.image_id, { face_plugins: "landmarks" });
told.detected = await detection.detect(both, { limit: 1, face_plugins: "calculator" });
told.base64 = await detection.detect(fs.readFileSync(again).toString("base64"), {});
told.compared = await verification.verify(grace, both, { limit: 0 });
told.added = await subjects().add("Ada");
told.renamed = await subjects().rename("Ada", "Countess");
told.subjects = await subjects().list();
told.forgotten = await subjects().delete("Countess");
told.deleted = await faces().delete_multiple_images([told.saved.image_id]);
told.none = await faces().delete_all_subject("Grace");
told.all = await subjects().deleteAll();
process.stdout.write(JSON.stringify(told));
