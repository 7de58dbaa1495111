// Starts the components of GOV.UK Frontend. Every page works without it.
import { initAll } from "./govuk-frontend.js";

initAll();
